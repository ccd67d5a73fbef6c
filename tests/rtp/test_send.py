import struct

import numpy as np

from rtp.send import LONGEST_DELAY, Impairment, Stream, departures


def test_a_good_network_changes_nothing() -> None:
    plan = departures(50, Impairment())
    assert plan.packet.tolist() == plan.tick.tolist() == list(range(50))


def test_a_bad_network_does_what_was_asked() -> None:
    count = 20_000
    plan = departures(count, Impairment(loss=0.05, reorder=0.02, duplicates=0.01, seed=3))
    arrived, times = np.unique(plan.packet, return_counts=True)
    assert abs(1 - len(arrived) / count - 0.05) < 0.01
    assert abs((times == 2).sum() / count - 0.01) < 0.005
    assert times.max() == 2
    late = plan.tick - plan.packet
    assert abs((late > 0).sum() / count - 0.02) < 0.006
    assert late.min() == 0
    assert late.max() == LONGEST_DELAY
    assert (np.diff(plan.tick) >= 0).all()
    assert arrived[0] == 0


def test_the_same_seed_does_the_same() -> None:
    bad = Impairment(0.1, 0.1, 0.1, seed=1)
    assert departures(500, bad).packet.tolist() == departures(500, bad).packet.tolist()
    assert departures(500, bad).packet.tolist() != departures(500, Impairment(0.1, 0.1, 0.1, seed=2)).packet.tolist()


def test_packets_wrap_and_repeat_their_frames() -> None:
    stream = Stream([b"a", b"b"], payload_type=8, ssrc=7, sequence=0xFFFF, timestamp=0xFFFFFFFF, step=160)
    fields = [struct.unpack("!BBHII", stream.packet(index)[:12]) for index in range(3)]
    assert fields == [(0x80, 0x88, 0xFFFF, 0xFFFFFFFF, 7), (0x80, 8, 0, 159, 7), (0x80, 8, 1, 319, 7)]
    assert [stream.packet(index)[12:] for index in range(3)] == [b"a", b"b", b"a"]
