"""RFC 4733 events: repeated, lost, long."""

import numpy as np
import pytest

from rtp.events import Event, read
from rtp.packet import Packets

START_NS = 1_790_000_000_000_000_000
MS = 1_000_000


def events(*packets, clock_rate=8000):
    """Read packets given as (milliseconds, timestamp, payload)."""
    octets = b"".join(payload for _, _, payload in packets)
    length = np.array([len(payload) for _, _, payload in packets], np.int64)
    count = len(packets)
    columns = Packets(
        row=np.arange(count),
        time_ns=np.array([START_NS + ms * MS for ms, _, _ in packets], np.int64),
        payload_type=np.full(count, 101, np.uint8),
        marker=np.zeros(count, bool),
        sequence=np.arange(count, dtype=np.uint16),
        timestamp=np.array([timestamp for _, timestamp, _ in packets], np.uint32),
        ssrc=np.full(count, 7, np.uint32),
        start=np.cumsum(length) - length,
        length=length,
    )
    return read(np.frombuffer(octets, np.uint8), columns, clock_rate)


def payload(code: int, ticks: int, *, end: bool = False) -> bytes:
    return bytes([code, 10 | end << 7, ticks >> 8, ticks & 255])


def pressed(code: int, at: int, timestamp: int, length: int = 100):
    """A key for `length` ms: an update every 20 ms, the end three times."""
    updates = [(at + ms, timestamp, payload(code, 8 * ms)) for ms in range(20, length, 20)]
    return [*updates, *[(at + length, timestamp, payload(code, 8 * length, end=True))] * 3]


def test_a_key_is_one_event_however_often_it_is_repeated():
    assert events(*pressed(5, 1000, 77)) == [Event(5, START_NS + 1000 * MS, 100 * MS)]


def test_the_same_key_twice_is_two_events():
    found = events(*pressed(1, 0, 800), *pressed(1, 200, 2400), *pressed(11, 400, 4000))
    assert [each.name for each in found] == ["1", "1", "#"]
    assert [each.start_ns - START_NS for each in found] == [0, 200 * MS, 400 * MS]


@pytest.mark.parametrize("kept", [[0], [-1], [2, 4], [1]])
def test_any_packet_of_a_key_tells_when_it_began(kept):
    packets = pressed(9, 500, 1)
    (event,) = events(*[packets[index] for index in kept])
    assert (event.name, event.start_ns) == ("9", START_NS + 500 * MS)


def test_a_late_first_packet_is_not_when_a_key_began():
    first, *others = pressed(9, 500, 1)
    (event,) = events((first[0] + 35, *first[1:]), *others)
    assert event.start_ns == START_NS + 500 * MS


@pytest.mark.parametrize(("ticks", "end"), [(800, False), (0xFFFF, True)], ids=["short", "ended"])
def test_the_same_key_right_behind_one_that_goes_not_on_is_another(ticks, end):
    found = events((9000, 100, payload(3, ticks, end=end)), (9100, 100 + ticks, payload(3, 80, end=True)))
    assert [each.length_ns // 125_000 for each in found] == [ticks, 80]


def test_a_long_event_in_segments_is_one():
    first = [(ms, 100, payload(3, min(8 * ms, 0xFFFF))) for ms in (4000, 8191, 8192)]
    second = [(8192 + ms, 100 + 0xFFFF, payload(3, 8 * ms, end=ms == 1000)) for ms in (500, 1000)]
    (event,) = events(*first, *second)
    assert event.code == 3
    assert event.length_ns == pytest.approx(9_191_875_000, abs=2 * MS)


def test_other_clocks_flash_and_unknown_codes():
    found = events((10, 1, payload(16, 480, end=True)), (500, 9, payload(70, 0)), clock_rate=48_000)
    assert [(each.name, each.length_ns) for each in found] == [("!", 10 * MS), ("70", 0)]


def test_a_cut_packet_is_no_event():
    assert events((0, 1, b"\x01\x0a\x00"), (5, 2, b"")) == []


def test_the_same_key_after_a_long_one_is_another():
    long = (8192, 100, payload(3, 0xFFFF))
    assert len(events(long, (8300, 100 + 0xFFFF + 800, payload(3, 80, end=True)))) == 2
