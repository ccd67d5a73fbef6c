"""Headers of links and of IP, laid out by hand."""

import struct

import numpy as np
import pytest

from rtp.datagrams import ETHERNET, RAW, SLL, SLL2, find

A4, B4 = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
A6, B6 = bytes(15) + b"\1", bytes(15) + b"\2"


def udp(payload=b"payload", *, length=None):
    return struct.pack("!HHHH", 1000, 2000, 8 + len(payload) if length is None else length, 0) + payload


def ipv4(body, *, protocol=17, fragment=0, options=b""):
    size = 20 + len(options)
    start = struct.pack("!BxHxxHBBxx", 0x40 | size // 4, size + len(body), fragment, 64, protocol)
    return start + A4 + B4 + options + body


def ipv6(body, *, kind=17):
    return struct.pack("!IHBB", 6 << 28, len(body), kind, 64) + A6 + B6 + body


def ethernet(packet, *tags, kind=None):
    kind = kind or {4: 0x0800, 6: 0x86DD}[packet[0] >> 4]
    return bytes(12) + b"".join(struct.pack("!HH", tag, 7) for tag in tags) + struct.pack("!H", kind) + packet


def look(packets, link=RAW):
    start = np.cumsum([0, *map(len, packets)])[:-1]
    captured = np.array([len(packet) for packet in packets], np.int64)
    data = np.frombuffer(b"".join(packets), np.uint8)
    return find(data, np.arange(len(packets)) * 10, start.astype(np.int64), captured, link, lost_tail=3)


@pytest.mark.parametrize("packet", [ipv4(udp()), ipv6(udp())], ids=["v4", "v6"])
@pytest.mark.parametrize(
    ("link", "wrap"),
    [
        (RAW, lambda packet: packet),
        (ETHERNET, ethernet),
        (ETHERNET, lambda packet: ethernet(packet) + bytes(30)),  # padded to the shortest frame
        (ETHERNET, lambda packet: ethernet(packet, 0x8100)),
        (ETHERNET, lambda packet: ethernet(packet, 0x88A8, 0x8100)),
        (SLL, lambda packet: bytes(14) + ethernet(packet)[12:14] + packet),
        (SLL2, lambda packet: ethernet(packet)[12:14] + bytes(18) + packet),
    ],
    ids=["raw", "ethernet", "padded", "vlan", "two tags", "sll", "sll2"],
)
def test_a_datagram_is_found_in_every_link(packet, link, wrap):
    found = look([wrap(packet)], link)
    assert found.payload(0) == b"payload"
    assert (found.source_port[0], found.destination_port[0], found.lost_tail, found.other) == (1000, 2000, 3, 0)
    expected = (A6, B6) if packet[0] >> 4 == 6 else tuple(bytes(10) + b"\xff\xff" + end for end in (A4, B4))
    assert (found.source[0].tobytes(), found.destination[0].tobytes()) == expected


def test_versions_mixed_keep_the_order_of_the_file():
    found = look([ipv6(udp(b"0")), ipv4(udp(b"1")), ipv6(udp(b"2")), ipv4(udp(b"3"))])
    assert [found.payload(i) for i in range(4)] == [b"0", b"1", b"2", b"3"]
    assert found.time_ns.tolist() == [0, 10, 20, 30]
    assert found.source[:, -1].tolist() == [1, 1, 1, 1]
    assert found.destination[:, 10].tolist() == [0, 0xFF, 0, 0xFF]


def test_options_and_extension_headers_are_passed_over():
    hop_by_hop = struct.pack("!BB", 60, 0) + bytes(6)
    destination = struct.pack("!BB", 17, 1) + bytes(14)
    found = look([ipv4(udp(b"a"), options=bytes(8)), ipv6(hop_by_hop + destination + udp(b"b"), kind=0)])
    assert [found.payload(0), found.payload(1)] == [b"a", b"b"]


def test_fragments_are_counted():
    packets = [ipv4(udp(), fragment=0x2000), ipv4(bytes(20), fragment=0x0010), ipv6(bytes(20), kind=44), ipv4(udp())]
    found = look([*packets, ipv4(udp(), fragment=0x4000)])  # the last one says: do not fragment
    assert (len(found), found.fragments, found.other) == (2, 3, 0)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x45",
        ipv4(udp(), protocol=6),
        ipv4(udp(), protocol=17)[:27],
        b"\x44" + ipv4(udp())[1:],  # a header shorter than the shortest
        b"\x4f" + ipv4(udp())[1:],  # longer than the packet
        ipv4(udp(length=7)),
        ipv6(udp())[:39],
        ipv6(udp(), kind=6),
        ipv6(b"\x11\xff" + bytes(6), kind=0),  # an extension longer than the packet
        ipv6(b"\x11", kind=0),  # half an extension
        b"\x55" + bytes(40),
    ],
)
def test_what_is_no_datagram_is_counted_and_passed_over(packet):
    found = look([packet, ipv4(udp(b"between")), packet])
    assert (len(found), found.other, found.payload(0)) == (1, 2, b"between")


@pytest.mark.parametrize("frame", [b"", bytes(13), ethernet(ipv4(udp()), kind=0x0806), bytes(12) + b"\x81\x00\x00"])
def test_what_is_no_ip_is_passed_over(frame):
    found = look([frame, ethernet(ipv4(udp(b"between"))), frame], ETHERNET)
    assert (len(found), found.other, found.payload(0)) == (1, 2, b"between")


def test_a_datagram_cut_by_the_snap_length_has_what_is_there():
    found = look([ipv4(udp(b"0123456789"))[:-4], ipv4(udp(b"next"))])
    assert [found.payload(0), found.payload(1)] == [b"012345", b"next"]
