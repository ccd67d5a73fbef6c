"""Captures written by hand and read back; what the recorder writes, read by tshark."""

import shutil
import struct
import subprocess
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtp import ip
from rtp.pcap import HEADER, SNAPLEN, CaptureError, read, record

TIME_NS = 1_790_000_000_123_456_789
V4 = ("192.0.2.1", 5060), ("198.51.100.2", 40_000)
V6 = ("2001:db8::1", 5060), ("2001:db8::2", 40_000)


@dataclass(frozen=True)
class Datagram:
    time_ns: int
    source: tuple[bytes, int]
    destination: tuple[bytes, int]
    payload: bytes


@st.composite
def datagrams(draw):
    size = draw(st.sampled_from([4, 16]))
    end = st.tuples(st.binary(min_size=size, max_size=size), st.integers(0, 0xFFFF))
    payload = st.binary(max_size=300) | st.just(bytes(172))
    return Datagram(draw(st.integers(0, 2**32 * 10**9 - 1)), draw(end), draw(end), draw(payload))


def packed(datagram):
    """An IP packet, laid out as RFC 791, 8200 and 768 say; independent of `rtp`."""
    udp = struct.pack("!HHHH", datagram.source[1], datagram.destination[1], 8 + len(datagram.payload), 0)
    udp += datagram.payload
    addresses = datagram.source[0] + datagram.destination[0]
    if len(addresses) == 8:
        return struct.pack("!BxHxxxxBBxx", 0x45, 20 + len(udp), 64, 17) + addresses + udp
    return struct.pack("!IHBB", 6 << 28, len(udp), 17, 64) + addresses + udp


def capture(packets, *, order="<", unit_ns=1, link=101):
    """A capture file of (time_ns, octets)."""
    magic = {1: 0xA1B23C4D, 1000: 0xA1B2C3D4}[unit_ns]
    out = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65_535, link)
    for time_ns, octets in packets:
        seconds, rest = divmod(time_ns, 10**9)
        out += struct.pack(f"{order}IIII", seconds, rest // unit_ns, len(octets), len(octets)) + octets
    return out


def sixteen(address):
    return address if len(address) == 16 else b"\0" * 10 + b"\xff\xff" + address


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    path = tmp_path_factory.mktemp("captures") / "one.pcap"

    def load(octets):
        path.unlink(missing_ok=True)  # another file: the last one is still mapped
        path.write_bytes(octets)
        return read(path)

    return load


@given(
    st.lists(datagrams() | datagrams().map(lambda one: [one] * 40), max_size=30),
    st.sampled_from("<>"),
    st.sampled_from([1, 1000]),
)
def test_what_was_written_is_read(load, written, order, unit_ns):
    written = [one for item in written for one in (item if isinstance(item, list) else [item])]
    found = load(capture([(one.time_ns, packed(one)) for one in written], order=order, unit_ns=unit_ns))
    assert len(found) == len(written)
    assert found.time_ns.tolist() == [one.time_ns // unit_ns * unit_ns for one in written]
    assert [row.tobytes() for row in found.source] == [sixteen(one.source[0]) for one in written]
    assert [row.tobytes() for row in found.destination] == [sixteen(one.destination[0]) for one in written]
    assert found.source_port.tolist() == [one.source[1] for one in written]
    assert found.destination_port.tolist() == [one.destination[1] for one in written]
    assert [found.payload(i) for i in range(len(found))] == [one.payload for one in written]
    assert (found.lost_tail, found.other, found.fragments) == (0, 0, 0)


def test_columns_have_the_types_that_are_promised(load):
    found = load(capture([(TIME_NS, packed(Datagram(TIME_NS, (bytes(4), 1), (bytes(4), 2), b"x")))]))
    columns = (found.data, found.time_ns, found.source, found.source_port, found.start, found.length)
    assert [column.dtype for column in columns] == [np.uint8, np.int64, np.uint8, np.uint16, np.int64, np.int32]
    assert (found.source.shape, found.destination.shape) == ((1, 16), (1, 16))


@given(st.integers(0, 3 * 216))
def test_a_cut_capture_gives_all_whole_records(load, cut):
    octets = HEADER + b"".join(record(bytes(172), *V4, TIME_NS + i) for i in range(40))
    found = load(octets[: len(octets) - cut])
    assert len(found) == 40 - -(-cut // 216)
    assert found.lost_tail == -cut % 216


@pytest.mark.parametrize("captured", [0, SNAPLEN + 1, 0xFFFFFFFF])
def test_a_senseless_record_is_passed_over(load, captured):
    good = record(b"good", *V4, TIME_NS)
    bad = struct.pack("<IIII", 0, 0, captured, captured) + bytes(100)
    found = load(HEADER + 20 * good + bad + good)
    assert (len(found), found.lost_tail) == (21, len(bad))


def test_an_empty_capture_has_no_datagrams(load):
    found = load(HEADER)
    assert (len(found), found.source.shape, found.lost_tail) == (0, (0, 16), 0)


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"", "empty"),
        (HEADER[:23], "23 octets"),
        (b"RIFF" + bytes(40), "begins with 52494646"),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), "no packets"),
        (capture([], link=105), "link type 105"),
    ],
)
def test_what_is_no_capture_is_refused(load, octets, says):
    with pytest.raises(CaptureError, match=says):
        load(octets)


@given(st.binary(max_size=500))
def test_damage_never_raises(load, noise):
    found = load(HEADER + record(b"first", *V4, TIME_NS) + noise)
    assert found.payload(0) == b"first"


@pytest.mark.parametrize("names", [V4, V6])
@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(256)), bytes(65_507)], ids=len)
def test_a_record_is_read_back(load, names, payload):
    found = load(HEADER + record(payload, *names, TIME_NS))
    assert found.payload(0) == payload
    assert found.time_ns[0] == TIME_NS
    assert [found.source[0].tobytes(), found.destination[0].tobytes()] == [ip.mapped(name[0]) for name in names]
    assert (found.source_port[0], found.destination_port[0]) == (5060, 40_000)


@pytest.mark.parametrize("names", [V4, V6, (V4[0], V6[1])], ids=["v4", "v6", "both"])
def test_a_message_longer_than_a_datagram_is_kept(load, names):
    payload = bytes(range(256)) * 400
    found = load(HEADER + record(payload, *names, TIME_NS) + record(b"next", *names, TIME_NS))
    assert [found.payload(0), found.payload(1)] == [payload, b"next"]
    assert found.source[0].tobytes() == ip.mapped(names[0][0])


def test_what_no_reader_takes_is_cut(load):
    found = load(HEADER + record(bytes(1 << 20), *V6, TIME_NS) + record(b"next", *V6, TIME_NS))
    assert found.length.tolist() == [SNAPLEN - 48, 4]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_records(tmp_path):
    payloads = [b"", b"x", bytes(range(200)), b"\xff" * 1400]
    rows = [(payload, names) for payload in payloads for names in (V4, V6)]
    path = tmp_path / "one.pcap"
    path.write_bytes(HEADER + b"".join(record(payload, *names, TIME_NS) for payload, names in rows))
    addresses = ["ip.src", "ipv6.src", "ip.dst", "ipv6.dst"]
    fields = ["frame.time_epoch", *addresses, "udp.srcport", "udp.dstport", "udp.payload", "_ws.expert"]
    checked = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-d", "udp.port==40000,data"]
    command = ["tshark", "-r", path, *checked, "-T", "fields", *(f"-e{field}" for field in fields)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    for line, (payload, names) in zip(lines, rows, strict=True):
        time, *addresses, source, destination, data, expert = line.split("\t")
        assert time == "1790000000.123456789"
        assert [address for address in addresses if address] == [names[0][0], names[1][0]]
        assert (source, destination, data) == ("5060", "40000", payload.hex())
        assert not expert
