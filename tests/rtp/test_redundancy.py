"""RFC 2198 packets taken apart, and losses filled from what others repeat."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtp.packet import parse
from rtp.redundancy import expand

RED, STEP = 121, 160


def red(index, *blocks, first=65_530):
    """A packet with `blocks` of (type, steps back, octets), the primary one last."""
    heads = b"".join(
        struct.pack("!I", 1 << 31 | kind << 24 | back * STEP << 10 | len(octets)) for kind, back, octets in blocks[:-1]
    )
    payload = heads + bytes([blocks[-1][0]]) + b"".join(octets for *_, octets in blocks)
    return struct.pack("!BBHII", 0x80, RED, (first + index) & 0xFFFF, index * STEP, 7) + payload


def expanded(datagrams):
    data = np.frombuffer(b"".join(datagrams) + bytes(16), np.uint8)
    length = np.array([len(each) for each in datagrams], np.int64)
    rows = np.arange(len(datagrams))[::-1].copy()  # the order in the file is not that of arrival
    packets, _ = parse(data, rows, rows[::-1] * 20, np.cumsum(length) - length, length)
    found = expand(data, packets, packets.payload_type == RED)
    each = found.packets
    payloads = [bytes(data[a : a + n]) for a, n in zip(each.start, each.length, strict=True)]
    columns = (each.sequence, each.timestamp, each.payload_type, payloads, found.copied)
    return [(int(s), int(t) // STEP, int(k), p, bool(c)) for s, t, k, p, c in zip(*columns, strict=True)], found.broken


def sent(index, depth=2):
    blocks = [(0, back, b"%d" % (index - back)) for back in range(min(depth, index), 0, -1)]
    return red(index, *blocks, (8, 0, b"%d!" % index))


def test_without_losses_only_the_primary_blocks_are_left():
    found, broken = expanded([sent(index) for index in range(10)])
    assert found == [((65_530 + index) & 0xFFFF, index, 8, b"%d!" % index, False) for index in range(10)]
    assert broken == 0


@pytest.mark.parametrize("lost", [[4], [4, 5], [5, 6, 9], [7]])
def test_losses_are_filled_before_the_packet_that_repeats_them(lost):
    found, _ = expanded([sent(index) for index in range(12) if index not in lost])
    assert [(index, copied) for _, index, _, _, copied in found] == [(index, index in lost) for index in range(12)]
    assert all(payload == b"%d" % index for _, index, _, payload, copied in found if copied)


def test_more_are_lost_than_repeated():
    found, _ = expanded([sent(index, 1) for index in range(10) if index not in (3, 4, 5)])
    assert [index for _, index, *_ in found] == [0, 1, 2, 5, 6, 7, 8, 9]


def test_what_comes_late_is_not_taken_from_a_copy():
    packets = [sent(index) for index in (0, 2, 1, 3)]
    found, _ = expanded(packets)
    assert [(index, copied) for _, index, _, _, copied in found] == [(0, False), (2, False), (1, False), (3, False)]


def test_broken_packets_are_counted_and_plain_ones_stay():
    plain = struct.pack("!BBHII", 0x80, 8, 3, STEP, 7) + b"plain"
    head = struct.pack("!BBHII", 0x80, RED, 4, 2 * STEP, 7)
    found, broken = expanded([plain, head, head + b"\x80", head + struct.pack("!I", 1 << 31 | 1023) + b"\0abc"])
    assert (found, broken) == ([(3, 1, 8, b"plain", False)], 3)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=8))
def test_no_payload_breaks_it(payloads):
    packets = [
        struct.pack("!BBHII", 0x80, RED, index, index * STEP, 7) + payload for index, payload in enumerate(payloads)
    ]
    found, broken = expanded(packets)
    assert len([each for each in found if not each[4]]) + broken == len(packets)
