"""Packets on one clock and legs beside each other."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.heard import whole

from rtp.codecs import Decoded
from rtp.mix import Channels, Clock, Placed, channels, leg, resample, upsample


def placed(*packets, rate=8000):
    """Packets given as (position, samples)."""
    samples = np.array([sample for _, part in packets for sample in part], np.int16)
    counts = np.array([len(part) for _, part in packets], np.int64)
    return Placed(Decoded(samples, counts, rate), np.array([position for position, _ in packets], np.int64))


def test_packets_lie_where_they_belong_and_silence_between():
    assert leg([placed((1, [5, 6]), (5, [7, 8]))], 8).tolist() == [0, 5, 6, 0, 0, 7, 8, 0]


def test_a_leg_without_sound_is_silence():
    assert leg([], 3).tolist() == [0, 0, 0]
    assert leg([placed()], 3).tolist() == [0, 0, 0]


def test_what_lies_outside_is_cut():
    assert leg([placed((-5, [9]), (-1, [1, 2]), (3, [3, 4]), (9, [9]))], 4).tolist() == [2, 0, 0, 3]


def test_several_sources_are_added_without_wrapping():
    first, second = placed((0, [30_000, -30_000, 7])), placed((0, [10_000, -10_000]), (2, [1]))
    assert leg([first, second], 4).tolist() == [32_767, -32_768, 8, 0]


def test_sources_one_after_the_other_and_back():
    parts = [placed((4, [4])), placed((6, [6])), placed((0, [1, 2])), placed((6, [10]))]
    assert leg(parts, 7).tolist() == [1, 2, 0, 0, 4, 0, 16]


def test_within_a_source_the_later_packet_wins():
    overlapping = placed((0, [1, 1, 1, 1]), (4, [2, 2, 2, 2]), (3, [3, 3]), (5, [4, 4]))
    assert leg([overlapping], 8).tolist() == [1, 1, 1, 3, 3, 4, 4, 0]


def test_a_slip_of_a_skewed_clock_is_no_silence():
    """More than a sample and a thousandth of the packet before is."""
    source = placed((0, [5, 6]), (3, [7, 8]), (7, [9]))
    assert leg([source], 8).tolist() == [5, 6, 0, 7, 8, 0, 0, 9]
    assert leg([replace(source, skewed=True)], 8).tolist() == [5, 6, 6, 7, 8, 0, 0, 9]


@given(
    sizes=st.lists(st.integers(0, 5), max_size=12),
    seed=st.integers(0, 2**32 - 1),
    length=st.integers(0, 40),
)
def test_a_source_is_the_loop(sizes, seed, length):
    rng = np.random.default_rng(seed)
    packets = [(int(rng.integers(-6, 45)), rng.integers(1, 99, size).tolist()) for size in sizes]
    expected = np.zeros(length, np.int16)
    for index, (position, samples) in enumerate(packets):
        limit = min([later for later, _ in packets[index + 1 :]], default=1000)
        for at, sample in enumerate(samples, start=position):
            if 0 <= at < min(limit, length):
                expected[at] = sample
    np.testing.assert_array_equal(leg([placed(*packets)], length), expected)


def test_positions_round_the_anchor_and_keep_the_distance():
    start = 1_790_000_000_000_000_000
    clock = Clock(start, 48_000, 96_000)
    anchor = np.full(3, start + 10_010_417)  # 480.50002 samples
    ticks = np.array([0, 160, 320])
    assert clock.positions(anchor, ticks, np.array([8000] * 3)).tolist() == [481, 481 + 960, 481 + 1920]


def test_channels_stand_side_by_side_at_the_highest_rate():
    sound = channels([(np.array([1, 2], np.int16), 16_000), (np.array([3], np.int16), 8000)])
    together = whole(sound)
    assert (together.dtype, together.shape, sound.rate) == (np.int16, (2, 2), 16_000)
    assert together[:, 0].tolist() == [1, 2]
    assert together[0, 1] == 3


def test_a_long_sound_comes_in_pieces_and_in_parts():
    rng = np.random.default_rng(1)
    columns = tuple(rng.integers(-32768, 32768, 200_000).astype(np.int16) for _ in range(3))
    sound = Channels(columns, 8000)
    assert max(map(len, sound.pieces())) < len(sound) == 200_000
    np.testing.assert_array_equal(whole(sound), np.stack(columns, axis=1))
    np.testing.assert_array_equal(whole(sound.part(5, 70_000)), np.stack(columns, axis=1)[5:70_000])
    added = np.clip(np.sum(columns, axis=0, dtype=np.int64), -32768, 32767)
    np.testing.assert_array_equal(whole(sound.mixed())[:, 0], added)


@pytest.mark.parametrize("length", [1, 2, 16_384, 16_385])
def test_channels_that_end_before_the_longest_are_silent_then(length):
    sound = channels([(np.ones(length, np.int16), 8000), (np.ones(1, np.int16), 8000)])
    assert whole(sound).sum(axis=0).tolist() == [length, 1]


@pytest.mark.parametrize("factor", [2, 6])
@pytest.mark.parametrize("frequency", [50, 1000, 3000])
def test_upsampling_keeps_a_tone(factor, frequency):
    def tone(rate):
        return np.rint(20_000 * np.sin(2 * np.pi * frequency * np.arange(rate) / rate)).astype(np.int16)

    finer = upsample(tone(8000), factor)
    np.testing.assert_array_equal(finer[::factor], tone(8000))
    middle = slice(100 * factor, -100 * factor)
    assert np.abs(finer[middle].astype(int) - tone(8000 * factor)[middle]).max() <= 20  # 60 dB below the tone


def test_upsampling_clips():
    loud = np.tile(np.array([32_767, 32_767, -32_768, -32_768], np.int16), 50)
    finer = upsample(loud, 2)
    assert (finer.max(), finer.min()) == (32_767, -32_768)
    assert upsample(np.zeros(0, np.int16), 2).size == 0


@pytest.mark.parametrize(("own", "rate"), [(44_100, 48_000), (11_025, 48_000), (32_000, 48_000), (8000, 48_000)])
def test_rates_that_are_no_multiple_keep_a_tone_in_its_place(own, rate):
    tone = np.rint(8000 * np.sin(2 * np.pi * 1000 * np.arange(own) / own)).astype(np.int16)
    out = resample(tone, own, rate)
    expected = 8000 * np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)
    assert len(out) == rate
    assert np.abs(out - expected)[500:-500].max() < 12
