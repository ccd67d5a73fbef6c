"""Peaks beside the plainest way to say the same."""

from math import ceil, floor

import numpy as np
import pytest

from rtp import peaks
from rtp.peaks import HEADER, PeaksError


def slowly(samples, bucket):
    """Lowest and highest of each bucket, one at a time, rounded away from 0."""
    buckets = [samples[first : first + bucket].T.tolist() for first in range(0, len(samples), bucket)]
    return [[[_coarse(min(column)), _coarse(max(column))] for column in channels] for channels in buckets]


def _coarse(value):
    return max(floor(value / 256), -128) if value < 0 else min(ceil(value / 256), 127)


@pytest.mark.parametrize("frames", [1, 399, 400, 401, 8000, 12_345])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_each_bucket_has_its_lowest_and_highest_sample(frames, channels):
    samples = np.random.default_rng(frames).integers(-32768, 32768, (frames, channels)).astype(np.int16)
    samples[: frames // 2] //= 300  # a quiet half, either side of 0
    found = peaks.of(list(samples.T), 8000)
    assert found.values.tolist() == slowly(samples, 400)
    assert (found.bucket, found.bucket_s, found.frames) == (400, 0.05, frames)


def test_only_silence_is_nothing():
    samples = np.array([[0, 1, -1]], np.int16)
    assert peaks.of(list(samples.T), 16_000).values.tolist() == [[[0, 0], [1, 1], [-1, -1]]]


def test_they_are_read_as_they_were_written():
    samples = np.random.default_rng(1).integers(-32768, 32768, (50_001, 2)).astype(np.int16)
    written = peaks.of(list(samples.T), 48_000)
    read = peaks.parse(written.to_bytes())
    np.testing.assert_array_equal(read.values, written.values)
    assert (read.rate, read.bucket, read.frames) == (48_000, 2400, 50_001)


def test_no_sound_has_no_buckets():
    assert peaks.parse(peaks.of(list(np.zeros((2, 0), np.int16)), 8000).to_bytes()).values.shape == (0, 2, 2)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data[: HEADER.size - 1], lambda data: b"x" + data[1:]]
)
def test_what_is_damaged_is_told(damage):
    data = peaks.of(list(np.zeros((2, 1000), np.int16)), 8000).to_bytes()
    with pytest.raises(PeaksError):
        peaks.parse(damage(data))
