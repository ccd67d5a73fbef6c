"""The jitter pipeline against senders and networks whose truth is known."""

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from rtp.jitter import order

START_NS = 1_790_000_000_000_000_000
TICK_NS = 125_000
TWENTY_MS = np.full(200, 160)


def run(arrived):
    return order(*arrived.columns())


def places(timeline):
    """Where the sound of each packet begins, in ticks since the start of the test."""
    offset = timeline.anchor_ns - START_NS
    assert (offset % TICK_NS == 0).all()
    return offset // TICK_NS + timeline.ticks


def assert_in_place(timeline, sent, arrived, expected):
    """The packets `expected` are played, each where it was sent, and no others."""
    np.testing.assert_array_equal(arrived.which[timeline.packet], expected)
    np.testing.assert_array_equal(places(timeline), sent.send[expected])
    np.testing.assert_array_equal(timeline.duration, sent.duration[expected])


def counts(timeline):
    return timeline.packets, timeline.lost, timeline.duplicates, timeline.reordered, timeline.strays


def test_in_order_and_complete(send):
    sent = send(TWENTY_MS)
    arrived = sent.arrive()
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, np.arange(200))
    assert counts(timeline) == (200, 0, 0, 0, 0)
    assert len(timeline.gaps.start_ns) == 0


def test_nothing():
    none = np.empty(0, np.int64)
    timeline = order(none.astype(np.uint16), none.astype(np.uint32), none, none, none, none.astype(bool))
    assert counts(timeline) == (0, 0, 0, 0, 0)
    assert len(timeline.packet) == 0


def test_a_single_packet_is_heard(send):
    sent = send([160])
    arrived = sent.arrive()
    assert_in_place(run(arrived), sent, arrived, [0])


@pytest.mark.parametrize(
    ("sequence", "timestamp"), [(65_500, 0), (0, 2**32 - 8000), (65_535, 2**32 - 1), (32_700, 2**31)]
)
def test_wraps(send, sequence, timestamp):
    sent = send(TWENTY_MS, sequence=sequence, timestamp=timestamp)
    arrived = sent.arrive()
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, np.arange(200))
    assert counts(timeline) == (200, 0, 0, 0, 0)


def test_two_wraps_of_the_sequence_number(send):
    sent = send(np.full(140_000, 160))
    arrived = sent.arrive()
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, np.arange(140_000))
    assert counts(timeline) == (140_000, 0, 0, 0, 0)


def test_losses_are_counted_and_located(send):
    sent = send(TWENTY_MS)
    kept = np.delete(np.arange(200), [10, 50, 51, 52])
    arrived = sent.arrive(kept)
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, kept)
    assert counts(timeline) == (196, 4, 0, 0, 0)
    assert ((timeline.gaps.start_ns - START_NS) // TICK_NS).tolist() == [1600, 8000]
    assert (timeline.gaps.length_ns // TICK_NS).tolist() == [160, 480]
    assert timeline.gaps.missing.tolist() == [1, 3]


def test_of_duplicates_the_first_is_kept(send):
    sent = send(TWENTY_MS)
    arrived = sent.arrive([*range(200), 7, 7, 199], [0] * 200 + [160, 1600, 0])
    timeline = run(arrived)
    assert counts(timeline) == (200, 0, 3, 0, 0)
    first = {int(which): row for row, which in reversed(list(enumerate(arrived.which)))}
    assert timeline.packet.tolist() == [first[which] for which in range(200)]


def test_late_packets_find_their_place(send):
    sent = send(TWENTY_MS)
    delay = np.zeros(200, np.int64)
    delay[[5, 60, 61]] = [1610, 330, 1000]
    arrived = sent.arrive(delay=delay)
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, np.arange(200))
    assert counts(timeline) == (200, 0, 0, 3, 0)


def test_silence_without_loss_is_told_from_loss(send):
    """DTX: the timestamp jumps, the sequence number does not."""
    sent = send(TWENTY_MS[:50]) + send(TWENTY_MS[:50], sequence=1050, timestamp=50_000 + 80_000, at=80_000)
    arrived = sent.arrive()
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, np.arange(100))
    assert counts(timeline) == (100, 0, 0, 0, 0)
    assert (timeline.gaps.length_ns // TICK_NS).tolist() == [72_000]
    assert timeline.gaps.missing.tolist() == [0]


@pytest.mark.parametrize("packets", [150, 3000, 30_000, 45_000, 90_000], ids=lambda n: f"{n // 50} s")
def test_a_long_outage_keeps_its_place(send, packets):
    sent = send(np.full(packets + 400, 160))
    kept = np.delete(np.arange(packets + 400), slice(200, 200 + packets))
    arrived = sent.arrive(kept)
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, kept)
    if (
        packets < 65_536
    ):  # 90,000 packets are one turn of the sequence number and 24,464 more: the turn is seen all the same
        assert timeline.lost == packets


def test_timestamps_that_stand_still_in_a_pause_are_placed_by_arrival(send):
    sent = send(TWENTY_MS) + send(TWENTY_MS, sequence=1200, timestamp=50_000 + 32_000, at=32_000 + 240_000)
    arrived = sent.arrive()
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, np.arange(400))
    assert counts(timeline) == (400, 0, 0, 0, 0)
    assert timeline.gaps.missing.tolist() == [0]


@pytest.mark.parametrize("held_back", [25, 100, 600])
def test_packets_that_the_network_held_back_keep_their_place(send, held_back):
    """A stall, then a burst: arrival says little, the timestamps all."""
    sent = send(np.full(1000, 160))
    delay = np.zeros(1000, np.int64)
    delay[300 : 300 + held_back] = 160 * np.arange(held_back, 0, -1)
    arrived = sent.arrive(delay=delay)
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, np.arange(1000))
    assert counts(timeline) == (1000, 0, 0, 0, 0)


def late(*points):
    """How late each of 3,000 packets comes, in ticks: straight lines between (packet, seconds), then nothing."""
    at, seconds = zip((0, 0.0), *points, (3000, 0.0), strict=True)
    return np.rint(np.interp(np.arange(3000), at, seconds) * 8000).astype(np.int64)


@pytest.mark.parametrize(
    "delay",
    [
        pytest.param(late((299, 0), (300, 3), (600, 0)), id="at twice the pace"),
        pytest.param(late((299, 0), (300, 3), (2000, 0)), id="slowly"),
        pytest.param(late((299, 0), (300, 13), (1000, 0)), id="long"),
        pytest.param(late((299, 0), (300, 3), (499, 3), (500, 0)), id="all at once"),
        pytest.param(late((1000, 13), (1600, 13), (1800, 0)), id="later and later before"),
        pytest.param(late((299, 0), (300, 3), (600, 1), (799, 1), (800, 4), (1200, 0)), id="twice"),
        pytest.param(late((0, 2), (299, 2), (300, 0)), id="from the beginning"),
    ],
)
def test_packets_that_come_late_for_long_and_catch_up_keep_their_place(send, delay):
    """No sender can send a sound before it is there: when the transit falls again, what came before was held back."""
    sent = send(np.full(3000, 160))
    arrived = sent.arrive(delay=np.maximum(delay, np.maximum.accumulate(np.arange(3000) * 160 + delay) - sent.send))
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, np.arange(3000))
    assert counts(timeline) == (3000, 0, 0, 0, 0)
    assert len(timeline.gaps.start_ns) == 0


@given(st.lists(st.tuples(st.integers(1, 200), st.floats(0, 8), st.integers(1, 200)), min_size=1, max_size=6))
@example(
    [
        (165, 6.346971094528218, 161),
        (125, 6.569644393510623, 70),
        (137, 1.2506373742960388, 129),
        (12, 5.547341497960027, 104),
        (111, 1.5479645312831973, 154),
    ]
)
def test_however_a_network_holds_packets_back(send, stalls):
    """As near as legs are to be: stalls of some seconds, each after some packets in time, made good over some more."""
    points, at = [], 0
    for quiet, seconds, packets in stalls:
        points += [(at + quiet, 0), (at + quiet + 1, seconds), (at + quiet + 1 + packets, 0)]
        at += quiet + 1 + packets
    sent, delay = send(np.full(3000, 160)), late(*points)
    arrived = sent.arrive(delay=np.maximum(delay, np.maximum.accumulate(np.arange(3000) * 160 + delay) - sent.send))
    timeline = run(arrived)
    np.testing.assert_array_equal(arrived.which[timeline.packet], np.arange(3000))
    assert np.abs(places(timeline) - sent.send).max() < 0.02 * 8000
    assert counts(timeline) == (3000, 0, 0, 0, 0)


def test_a_sender_that_stood_still_is_not_drawn_together_with_what_it_sent_before(send):
    """It stays late, whether or not the network holds packets back besides."""
    sent = send(np.full(1500, 160)) + send(np.full(1500, 160), sequence=2500, timestamp=290_000, at=264_000)
    timeline = run(arrived := sent.arrive(delay=late((1999, 0), (2000, 3), (2300, 0))))
    assert_in_place(timeline, sent, arrived, np.arange(3000))
    assert timeline.gaps.length_ns.tolist() == [3_000_000_000]


def test_a_quick_clock_is_not_taken_for_packets_held_back(send):
    """Half an hour at 200 ppm too fast, behind a sender that stood still for five seconds."""
    sent = send(np.full(500, 160)) + send(np.full(90_000, 160), sequence=1500, timestamp=130_000, at=120_000)
    arrived = sent.arrive()
    behind = arrived.which >= 500
    arrived.time_ns[behind] -= np.rint((sent.send[arrived.which[behind]] - 120_000) * TICK_NS * 2e-4).astype(np.int64)
    timeline = run(arrived)
    begin_ns = timeline.anchor_ns + timeline.ticks * TICK_NS
    assert np.abs(begin_ns - arrived.time_ns[timeline.packet]).max() < 5_000_000


@pytest.mark.parametrize(
    ("sequence", "timestamp"),
    [
        pytest.param(9000, 3_000_000_000, id="both anew"),
        pytest.param(1000, 50_000, id="from the same start"),
        pytest.param(1170, 50_000 + 170 * 160, id="30 packets back"),
        pytest.param(1200, 3_000_000_000, id="timestamps only"),
        pytest.param(9000, 50_000 + 200 * 160, id="sequence numbers only"),
        pytest.param(500, 50_000 + 200 * 160, id="sequence numbers back"),
    ],
)
def test_a_restart_under_the_same_ssrc_is_placed_by_arrival(send, sequence, timestamp):
    sent = send(TWENTY_MS) + send(np.full(300, 160), sequence=sequence, timestamp=timestamp, at=32_000)
    arrived = sent.arrive()
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, np.arange(500))
    assert counts(timeline) == (500, 0, 0, 0, 0)


@pytest.mark.parametrize("sequence", [1100 + 20_000, 1100 - 20_000, 1100 + 32_768, 1050, 1110])
@pytest.mark.parametrize("timestamp", [3_000_000_000, 50_000 + 32_000_000, 2**32 - 200_000])
def test_a_stray_packet_moves_nothing(send, sequence, timestamp):
    stray = send([160], sequence=sequence, timestamp=timestamp, at=16_010)
    sent = send(TWENTY_MS) + stray
    arrived = sent.arrive()
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, np.arange(200))
    assert counts(timeline) == (200, 0, 0, 0, 1)


def test_a_stray_packet_with_a_likely_sequence_number_moves_nothing(send):
    """Eight seconds back in time and ten packets ahead."""
    sent = send(TWENTY_MS) + send([160], sequence=1110, timestamp=0, at=16_010)
    arrived = sent.arrive()
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, np.arange(200))
    assert timeline.strays == 1


def test_a_late_packet_behind_a_stray_moves_nothing(send):
    sent = send(TWENTY_MS) + send([160], sequence=9999, timestamp=1_000_000_000, at=16_010)
    delay = np.zeros(201, np.int64)
    delay[50:200], delay[60] = 40, 16_020 - sent.send[60]
    arrived = sent.arrive(delay=delay)
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, np.arange(200))
    assert (timeline.strays, timeline.reordered) == (1, 1)


def test_late_packets_at_the_very_end_are_no_restart(send):
    sent = send(TWENTY_MS)
    delay = np.zeros(200, np.int64)
    delay[195], delay[199] = 1500, 900
    arrived = sent.arrive(delay=delay)
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, np.arange(200))
    assert counts(timeline) == (200, 0, 0, 1, 0)


def test_the_first_packets_may_come_in_the_wrong_order(send):
    sent = send(TWENTY_MS, sequence=0, timestamp=0)
    delay = np.zeros(200, np.int64)
    delay[0] = 170
    arrived = sent.arrive(delay=delay)
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, np.arange(200))
    assert counts(timeline) == (200, 0, 0, 1, 0)


def test_a_late_first_packet_does_not_misplace_the_leg(send):
    sent = send(TWENTY_MS)
    delay = np.zeros(200, np.int64)
    delay[0], delay[20:] = 100, 40
    timeline = run(sent.arrive(delay=delay))
    np.testing.assert_array_equal(places(timeline), sent.send)


@pytest.mark.parametrize("waits_ms", [300, 700, 5000])
def test_the_first_packet_is_heard_though_the_sender_stood_still_behind_it(send, waits_ms):
    """What follows it in sequence and timestamp is of the same stream, however late."""
    sent = send(TWENTY_MS)
    arrived = sent.arrive(delay=np.where(np.arange(200) == 0, 0, 8 * waits_ms))
    timeline = run(arrived)
    assert counts(timeline) == (200, 0, 0, 0, 0)
    np.testing.assert_array_equal(arrived.which[timeline.packet], np.arange(200))


def test_a_change_of_clock_is_placed_by_arrival(send):
    begin = 50_000 + 32_000  # where the timestamps would go on if the clock did
    sent = send(TWENTY_MS) + send(TWENTY_MS, sequence=1200, timestamp=begin, at=32_000)
    arrived = sent.arrive()
    wide = arrived.which >= 200
    arrived.clock_rate[wide] = 48_000
    arrived.timestamp[wide] = begin + (arrived.timestamp[wide] - begin) * 6
    arrived.duration[wide] = 960
    timeline = run(arrived)
    np.testing.assert_array_equal(timeline.packet, np.arange(400))
    at = timeline.anchor_ns + timeline.ticks * 1_000_000_000 // arrived.clock_rate
    np.testing.assert_array_equal(at - START_NS, sent.send * TICK_NS)
    assert counts(timeline) == (400, 0, 0, 0, 0)
    assert len(timeline.gaps.start_ns) == 0


def test_digits_are_no_loss_and_no_sound(send):
    """Three packets of one event say its start as their timestamp (RFC 4733)."""
    sent = send(TWENTY_MS)
    sent.timestamp[100:120] = sent.timestamp[100]
    arrived = sent.arrive(np.delete(np.arange(200), [30, 110]))
    arrived.audio[(arrived.which >= 100) & (arrived.which < 120)] = False
    timeline = run(arrived)
    heard = np.delete(np.arange(200), [30, *range(100, 120)])
    assert_in_place(timeline, sent, arrived, heard)
    assert counts(timeline) == (198, 2, 0, 0, 0)
    assert timeline.gaps.missing.tolist() == [1, 1]


def test_only_digits(send):
    arrived = send(TWENTY_MS[:10], sequence=65_530).arrive([0, 1, 2, 3, 5, 6, 7, 8, 9, 9])
    arrived.audio[:] = False
    timeline = run(arrived)
    assert counts(timeline) == (9, 1, 1, 0, 0)
    assert len(timeline.packet) == 0


def test_unknown_durations_come_from_the_timestamps(send):
    sent = send(np.full(50, 240))
    arrived = sent.arrive(np.delete(np.arange(50), 20))
    arrived.duration[:] = 0
    timeline = run(arrived)
    assert (timeline.duration == 240).all()
    assert (timeline.gaps.length_ns // TICK_NS).tolist() == [240]


def test_unknown_durations_that_change_and_stand_before_losses_and_silences(send):
    """Each sounds as far as the next one, or as long as usual where that cannot be: the next is lost, or far away."""
    durations = np.full(20, 160)
    durations[5] = 240
    sent = send(durations)
    sent.send[15:] += 4000
    sent.timestamp[15:] += 4000
    kept = np.delete(np.arange(20), 10)
    arrived = sent.arrive(kept)
    arrived.duration[:] = 0
    assert run(arrived).duration.tolist() == durations[kept].tolist()


@st.composite
def senders(draw):
    """A few restarts of a sender, with packets of 10 to 60 ms and bases near the wraps or anywhere."""
    segments = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bases = []
    for _ in range(segments):
        sequence = draw(st.one_of(st.integers(0, 65_535), st.integers(65_450, 65_535)))
        timestamp = draw(st.one_of(st.integers(0, 2**32 - 1), st.integers(2**32 - 30_000, 2**32 - 1)))
        durations = rng.choice([80, 160, 240, 320, 480], rng.integers(80, 300))
        bases.append((sequence, timestamp, durations))
    return bases


@given(
    bases=senders(),
    loss=st.sampled_from([0, 0.05, 0.2]),
    late=st.sampled_from([0, 0.02, 0.2]),
    double=st.sampled_from([0, 0.01, 0.1]),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_packet_at_its_place(send, bases, loss, late, double, seed):
    rng = np.random.default_rng(seed)
    sent, starts, at = None, [], 0
    for sequence, timestamp, durations in bases:
        part = send(durations, sequence=sequence, timestamp=timestamp, at=at)
        if sent is not None:  # a restart near an older line would rightly be taken for its continuation
            apart = (sequence - sent.sequence + 1000) & 0xFFFF
            away = (timestamp - sent.timestamp + 800_000) & 0xFFFFFFFF
            assume(((apart > 2000) | (away > 1_600_000)).all() and apart[-1] > 2000 and away[-1] > 1_600_000)
        starts.append(0 if sent is None else len(sent))
        sent, at = part if sent is None else sent + part, at + int(durations.sum())
    size = len(sent)
    lost = rng.random(size) < loss
    delayed = rng.random(size) < late
    for start in starts:
        lost[start], delayed[start] = False, False
    delay = np.where(delayed, sent.duration * rng.integers(1, 11, size), 0)
    kept = np.flatnonzero(~lost)
    twice = kept[rng.random(len(kept)) < double]
    arrived = sent.arrive(
        np.concatenate([kept, twice]),
        np.concatenate([delay[kept], delay[twice] + 80 * rng.integers(0, 20, len(twice))]),
    )
    timeline = run(arrived)
    assert_in_place(timeline, sent, arrived, kept)
    ends = [*starts[1:], size]
    between = sum(int(lost[start : kept[kept < end].max()].sum()) for start, end in zip(starts, ends, strict=True))
    assert (timeline.packets, timeline.lost, timeline.duplicates) == (len(kept), between, len(twice))
    assert timeline.strays == 0
    first = np.unique(arrived.which, return_index=True)[1]
    seen = arrived.which[np.sort(first)]
    assert timeline.reordered == int((seen < np.maximum.accumulate(seen)).sum())


@pytest.mark.parametrize("doubled", [False, True])
@pytest.mark.parametrize("silence", [1600, 3000, 3700])
def test_a_packet_from_before_a_silence_that_comes_behind_it_begins_no_line_of_its_own(send, doubled, silence):
    at = 32_000 + silence
    sent = send(TWENTY_MS) + send(TWENTY_MS, sequence=1200, timestamp=50_000 + at, at=at)
    which = np.append(np.arange(400), 199) if doubled else np.arange(400)
    delay = np.zeros(len(which), np.int64)
    delay[-1 if doubled else 199] = silence + 240  # right behind the first after it
    arrived = sent.arrive(which, delay)
    timeline = run(arrived)
    np.testing.assert_array_equal(places(timeline), sent.send)
    assert counts(timeline) == (400, 0, int(doubled), int(not doubled), 0)
