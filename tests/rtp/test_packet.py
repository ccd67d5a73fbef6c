"""RTP headers as columns, against a parser of one packet at a time."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtp import packet


def parse(*datagrams: bytes):
    """Parse datagrams that lie in one array with other octets between them."""
    gap = b"\xff\xff\xff"
    length = np.array([len(datagram) for datagram in datagrams], np.int64)
    start = np.cumsum(length + len(gap)) - length
    data = np.frombuffer(b"".join(gap + datagram for datagram in datagrams) + gap, np.uint8)
    rows = np.arange(len(datagrams)) + 100
    packets, kinds = packet.parse(data, rows, rows * 1000, start, length)
    payloads = [data[s : s + n].tobytes() for s, n in zip(packets.start, packets.length, strict=True)]
    return packets, kinds, payloads


def rtp(payload=b"sound", *, flags=0x80, kind=0, sequence=1, timestamp=2, ssrc=3, rest=b""):
    return struct.pack(">BBHII", flags, kind, sequence, timestamp, ssrc) + rest + payload


def test_fields_of_the_header():
    packets, kinds, payloads = parse(rtp(kind=0x88, sequence=0xFFFE, timestamp=0xFFFFFFFD, ssrc=0xFFFFFFFC))
    assert packets.payload_type.tolist() == [8]
    assert packets.marker.tolist() == [True]
    assert packets.sequence.tolist() == [0xFFFE]
    assert packets.timestamp.tolist() == [0xFFFFFFFD]
    assert packets.ssrc.tolist() == [0xFFFFFFFC]
    assert (packets.row.tolist(), packets.time_ns.tolist()) == ([100], [100_000])
    assert (payloads, kinds) == ([b"sound"], {})


@pytest.mark.parametrize(
    ("datagram", "payload"),
    [
        pytest.param(rtp(flags=0x82, rest=b"csrc1234"), b"sound", id="CSRC list"),
        pytest.param(rtp(flags=0x90, rest=b"\xbe\xde\0\1ABCD"), b"sound", id="header extension"),
        pytest.param(rtp(flags=0x91, rest=b"csrc\xbe\xde\0\0"), b"sound", id="CSRC and empty extension"),
        pytest.param(rtp(b"sound\0\0\3", flags=0xA0), b"sound", id="padding"),
        pytest.param(rtp(b"\0\0\0\4", flags=0xA0), b"", id="only padding"),
        pytest.param(rtp(b"sound\0\2", flags=0xB1, rest=b"csrc\0\0\0\1ABCD"), b"sound", id="all of them"),
        pytest.param(rtp(b""), b"", id="no payload"),
    ],
)
def test_what_surrounds_the_payload_is_left_out(datagram, payload):
    packets, kinds, payloads = parse(rtp(b"first"), datagram, rtp(b"last"))
    assert payloads == [b"first", payload, b"last"]
    assert kinds == {}
    assert packets.row.tolist() == [100, 101, 102]


@pytest.mark.parametrize(
    ("datagram", "kind"),
    [
        (b"", "short"),
        (b"\x80", "short"),
        (rtp(b"")[:11], "short"),
        (b"\x00\x01" + bytes(18), "stun"),
        (b"\x10\x00" + bytes(18), "zrtp"),
        (b"\x16\xfe\xfd" + bytes(18), "dtls"),
        (b"\x40\x00" + bytes(18), "turn"),
        (b"\xff" * 30, "version"),
        (b"hello", "version"),
        (rtp(kind=200), "rtcp"),
        (rtp(kind=192), "rtcp"),
        (rtp(kind=223, flags=0xAF), "rtcp"),
        (rtp(b"12345678", flags=0x8F), "header"),
        (rtp(b"12", flags=0x90), "header"),
        (rtp(b"\0\0\0\2ABCD", flags=0x90), "header"),
        (rtp(b"sound\0", flags=0xA0), "padding"),
        (rtp(b"sound\x09", flags=0xA0), "padding"),
        (rtp(b"", flags=0xA1, rest=b"csr\1"), "padding"),
    ],
)
def test_what_is_not_rtp_is_counted_by_kind(datagram, kind):
    _, kinds, payloads = parse(rtp(b"first"), datagram, rtp(b"last"))
    assert payloads == [b"first", b"last"]
    assert kinds == {kind: 1}


def test_the_payload_types_beside_rtcp_are_rtp():
    packets, kinds, _ = parse(rtp(kind=191), rtp(kind=224))
    assert packets.payload_type.tolist() == [63, 96]
    assert kinds == {}


def test_no_datagrams():
    packets, kinds, _ = parse()
    assert (len(packets), kinds) == (0, {})


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_octets_are_parsed_or_counted(datagrams):
    packets, kinds, _ = parse(*datagrams)
    assert len(packets) + kinds.total() == len(datagrams)
    assert (packets.length >= 0).all()
    rows = (packets.row - 100).tolist()
    sizes = [len(datagrams[row]) for row in rows]
    assert (packets.length + 12 <= sizes).all()
