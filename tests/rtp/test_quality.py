"""Quality beside plain loops and published numbers."""

import numpy as np
import pytest

from rtp import quality
from rtp.quality import Bursts


def test_g107_without_impairment():
    """R = 93.2 is MOS 4.41 (ITU-T G.107 annex B, default values)."""
    assert quality.rating("PCMU", Bursts(0, 1000)) == 93.2
    assert quality.mos(93.2) == pytest.approx(4.41, abs=0.005)


@pytest.mark.parametrize(
    ("r", "score"), [(90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58), (0, 1), (120, 4.5)]
)
def test_scores_of_g107_table_b1(r, score):
    assert quality.mos(r) == pytest.approx(score, abs=0.01)


def test_random_loss_by_hand():
    """1 % at random: 93.2 - 95 x 1 / (1 + 4.3)."""
    assert quality.rating("PCMA", Bursts(10, 1000, runs=10)) == pytest.approx(93.2 - 95 / 5.3)
    assert quality.rating("G729", Bursts(10, 1000, runs=10)) == pytest.approx(82.2 - 84 / 20)


def test_loss_in_a_row_is_worse_than_at_random():
    assert quality.rating("PCMA", Bursts(20, 1000, runs=2)) < quality.rating("PCMA", Bursts(20, 1000, runs=20))


def test_a_codec_without_values_has_no_score():
    assert quality.rating("OPUS", Bursts(0, 1000)) is None


@pytest.mark.parametrize(
    ("codec", "octets", "seconds", "r"),
    [
        ("AMR", 32, 0.02, 88.2),  # 12.2 kbit/s, bandwidth-efficient
        ("AMR", 33, 0.02, 88.2),  # octet-aligned
        ("AMR", 64, 0.04, 88.2),
        ("AMR", 27, 0.02, None),  # 10.2
        ("AMR", 14, 0.02, None),  # 4.75
        ("G723", 24, 0.03, 78.2),  # 6.3
        ("G723", 20, 0.03, 74.2),  # 5.3
    ],
)
def test_modes_are_told_by_the_size_of_packets(codec, octets, seconds, r):
    silence = [6] * 300  # descriptions of it, more than there is speech
    sizes = np.array([octets] * 100 + silence)
    bit_s = quality.bit_rate(sizes, np.array([seconds] * 100 + [0.02] * 300))
    assert quality.rating(codec, Bursts(0, 400), bit_s) == (r and pytest.approx(r))


def slow_bursts(lost):
    """RFC 3611 §4.7.2 packet by packet: (bursts, packets, lost) in them; `lost` begins and ends with received ones."""
    places = [index for index, gone in enumerate(lost) if gone]
    groups: list[list[int]] = []
    for place in places:
        if groups and place - groups[-1][-1] - 1 < quality.G_MIN:
            groups[-1].append(place)
        else:
            groups.append([place])
    real = [group for group in groups if len(group) > 1]
    return len(real), sum(group[-1] - group[0] + 1 for group in real), sum(map(len, real))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5])
def test_bursts_are_those_of_a_loop(seed, share):
    rng = np.random.default_rng(seed)
    lost = rng.random(3000) < share
    lost[[0, -1]] = False
    received = np.flatnonzero(~lost)
    found = quality.bursts(np.diff(received, prepend=-1) - 1)
    assert (found.lost, found.expected) == (lost.sum(), 3000)
    assert (found.count, found.packets, found.inside) == slow_bursts(lost.tolist())


def test_jitter_is_that_of_rfc_3550():
    transit = np.random.default_rng(1).exponential(5e6, 5000)
    course, jitter = [], 0.0
    for difference in np.abs(np.diff(transit)) / 1e6:
        jitter += (difference - jitter) / 16
        course.append(jitter)
    mean, most = quality.jitter_ms(transit)
    assert mean == pytest.approx(np.mean(course), rel=0.03)
    assert max(course) * 0.9 < most <= max(course) * 1.001


def test_level_of_a_square_wave_and_a_sine():
    square = np.resize(np.array([-32768, 32767], np.int16), 8000)
    assert quality.loudness(square, 8000).level_dbov == pytest.approx(0, abs=0.001)
    sine = (16384 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)).astype(np.int16)
    assert quality.loudness(sine, 8000).level_dbov == pytest.approx(-6.02 - 3.01, abs=0.01)
    assert quality.loudness(square, 8000).clipped == 1
    assert quality.loudness(sine, 8000).clipped == 0


def test_silence_does_not_lower_the_level():
    sine = (16384 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)).astype(np.int16)
    found = quality.loudness(np.concatenate([sine, np.zeros(24_000, np.int16)]), 8000)
    assert (found.silence, found.level_dbov) == (0.75, pytest.approx(-9.03, abs=0.01))


def test_nothing_is_silence():
    found = quality.quality(None, np.empty(0, np.int64), np.empty(0), np.empty(0, np.int16), 8000)
    assert (found.loss, found.mos, found.level_dbov, found.silence, found.jitter_ms) == (0, None, None, 1, 0)


@pytest.mark.parametrize("full", [quality.FULL, -quality.FULL, 32767, -32768])
def test_a_single_sample_at_full_scale_is_counted_in_a_quiet_frame_too(full):
    samples = np.ones(16_000, np.int16)
    samples[5000] = full
    samples[9000] = quality.FULL - 1
    assert quality.loudness(samples, 8000).clipped == 1 / 16_000
