"""Decoded packets on one clock: the packets of a leg into its sound, legs into channels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

from rtp.blocks import copy, windows
from rtp.codecs import Decoded, Samples

Integers = NDArray[np.int64]
HALF_TAPS = 24
"""Input samples on either side that an interpolated one is made of."""
_FRAMES_AT_ONCE = 1 << 17
MOST_SLIP = 1e-3
"""Share of a packet by which the next one may begin later, as the skew of a clock is made good: no silence."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of a recording: where it begins, and how many samples it has."""

    start_ns: int
    """UTC."""
    rate: int
    """Hz."""
    length: int
    """Samples."""

    def positions(self, anchor_ns: Integers, ticks: NDArray[np.float64], clock_rate: Integers) -> Integers:
        """Return the sample at which each packet begins.

        Only the anchor is rounded to a sample: packets of one line of timestamps keep their distance.
        """
        begin = (anchor_ns - self.start_ns) * (self.rate / 1e9)
        first: Integers = np.rint(begin).astype(np.int64)
        return first + np.rint(ticks * (self.rate / clock_rate)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Placed:
    """Decoded packets of one SSRC, in order of play, and the sample at which each begins."""

    decoded: Decoded
    positions: Integers
    skewed: bool = False
    """The skew of a clock is made good: packets that follow each other may come to lie a sample apart."""


def leg(sources: Sequence[Placed], length: int) -> Samples:
    """Return the sound of a leg: its sources added, silence where there is none.

    Args:
        sources: one for each SSRC, all at the same rate. Within one, what comes later in the order of play wins; parts
            before 0 or behind `length` are not heard.
        length: samples.
    """
    if len(sources) == 1 and (whole := _in_one_piece(sources[0], length)) is not None:
        return whole
    sound = np.zeros(length, np.int16)
    free_from = 0
    for source in sources:
        pieces = _within(source, length)
        if len(pieces.counts) == 0:
            continue
        first, end = int(pieces.at.min()), int((pieces.at + pieces.counts).max())
        if first >= free_from:
            _lay(source, pieces, sound, 0)
        else:
            part = np.zeros(end - first, np.int16)
            _lay(source, pieces, part, first)
            _add(sound[first:end], part)
        free_from = max(free_from, end)
    return sound


def _in_one_piece(source: Placed, length: int) -> Samples | None:
    """Return the sound of a leg whose packets follow each other without a hole; None: there are some."""
    counts, positions = source.decoded.counts, source.positions
    if len(counts) == 0 or positions[0] < 0 or (np.diff(positions) != counts[:-1]).any():
        return None
    silence = np.zeros(int(positions[0]), np.int16)
    behind = np.zeros(max(0, length - len(silence) - len(source.decoded.samples)), np.int16)
    return np.concatenate([silence, source.decoded.samples, behind])[:length]


def laid(source: Placed, length: int) -> int:
    """Return how many samples of a source `leg` lets be heard."""
    return int(_within(source, length).counts.sum())


@dataclass(frozen=True, slots=True)
class Channels:
    """Sounds beside each other."""

    columns: tuple[Samples, ...]
    """All equally long."""
    rate: int
    """Hz."""

    def __len__(self) -> int:
        """Return the samples of each."""
        return len(self.columns[0])

    def pieces(self) -> Iterator[Samples]:
        """Yield them as files have them, (frames, channels): few at a time, so that they stay in the cache."""
        for first in range(0, len(self), _FRAMES_AT_ONCE):
            piece = np.empty((min(_FRAMES_AT_ONCE, len(self) - first), len(self.columns)), np.int16)
            for index, column in enumerate(self.columns):
                piece[:, index] = column[first : first + _FRAMES_AT_ONCE]
            yield piece

    def part(self, begin: int, end: int) -> "Channels":
        """Return the samples from one to before another."""
        return Channels(tuple(column[begin:end] for column in self.columns), self.rate)

    def mixed(self) -> "Channels":
        """Return all added into one, saturated."""
        total = np.zeros(len(self), np.int32)
        for column in self.columns:
            total += column
        return Channels((total.clip(-32768, 32767).astype(np.int16),), self.rate)


def channels(legs: Sequence[tuple[Samples, int]]) -> Channels:
    """Return legs beside each other, at the highest of their rates.

    Args:
        legs: samples and rate of each; all last equally long.
    """
    rate = max(rate for _, rate in legs)
    columns = [resample(samples, own, rate) for samples, own in legs]
    longest = max(map(len, columns))
    return Channels(tuple(_padded(column, longest) for column in columns), rate)


def _padded(column: Samples, length: int) -> Samples:
    return column if len(column) == length else np.pad(column, (0, length - len(column)))


def resample(samples: Samples, own: int, rate: int) -> Samples:
    """Return samples of `own` Hz at the higher `rate`, band-limited, as many as begin within their time."""
    up, down = rate // gcd(own, rate), own // gcd(own, rate)
    if down == 1:
        return upsample(samples, up)
    out = np.empty(-(-len(samples) * up // down), np.int16)
    padded = np.pad(samples.astype(np.float32), (HALF_TAPS, HALF_TAPS + down))
    taps = np.vstack([np.eye(1, 2 * HALF_TAPS, HALF_TAPS, dtype=np.float32), _interpolator(up)[:, ::-1]])
    for index in range(min(up, len(out))):
        first, phase = divmod(index * down, up)
        part = out[index::up]
        around = windows(padded, 2 * HALF_TAPS)[first + (phase > 0) :: down][: len(part)]
        part[:] = np.clip(np.rint(around @ taps[phase]), -32768, 32767)
    return out


def upsample(samples: Samples, factor: int) -> Samples:
    """Return the samples at `factor` times their rate, band-limited; the given ones stay among them unchanged."""
    if factor == 1:
        return samples
    padded = np.pad(samples.astype(np.float32), HALF_TAPS)
    out = np.empty((len(samples), factor), np.int16)
    out[:, 0] = samples
    for phase, taps in enumerate(_interpolator(factor), start=1):
        between = np.convolve(padded, taps, "valid")[1 : len(samples) + 1]
        out[:, phase] = np.clip(np.rint(between), -32768, 32767)
    return out.ravel()


@cache
def _interpolator(factor: int) -> NDArray[np.float32]:
    """Return a Kaiser-windowed sinc for each sample between two, (factor - 1, 2 * HALF_TAPS)."""
    phase = np.arange(1, factor)[:, np.newaxis] / factor
    distance = np.arange(-HALF_TAPS, HALF_TAPS) + phase
    window = np.i0(9 * np.sqrt(np.maximum(1 - (distance / HALF_TAPS) ** 2, 0))) / np.i0(9)
    taps = np.sinc(distance) * window
    interpolator: NDArray[np.float32] = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
    return interpolator


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Which samples of a source are heard, and where."""

    offsets: Integers
    at: Integers
    counts: Integers


def _lay(source: Placed, pieces: _Pieces, sound: Samples, first: int) -> None:
    """Copy the pieces to their places, of which `first` is the beginning of `sound`."""
    at = pieces.at - first
    copy(source.decoded.samples, pieces.offsets, sound, at, pieces.counts)
    if source.skewed:
        _hold(sound, at[:-1] + pieces.counts[:-1], at[1:], (MOST_SLIP * pieces.counts[:-1]).astype(np.int64) + 1)


def _hold(sound: Samples, end: Integers, begin: Integers, most: Integers) -> None:
    """Go on with the last sample of a packet until the next one begins, where that is no silence but a slip."""
    for distance in range(int(most.max(initial=0))):
        slipped = end[(begin - end > distance) & (begin - end <= most)] + distance
        sound[slipped] = sound[slipped - 1]


def _within(source: Placed, length: int) -> _Pieces:
    """Cut the packets of a source to what is heard between 0 and `length`."""
    offsets = np.cumsum(source.decoded.counts) - source.decoded.counts
    counts = _without_overlap(source.positions, source.decoded.counts)
    before = np.clip(-source.positions, 0, counts)
    counts = np.minimum(counts, length - source.positions) - before
    kept = counts > 0
    return _Pieces((offsets + before)[kept], (source.positions + before)[kept], counts[kept])


def _without_overlap(positions: Integers, counts: Integers) -> Integers:
    """Return how much of each packet is heard before anything behind it in the order of play begins."""
    if len(positions) == 0:
        return counts
    soonest = np.minimum.accumulate(positions[::-1])[::-1]
    heard = counts.copy()
    heard[:-1] = np.clip(soonest[1:] - positions[:-1], 0, counts[:-1])
    return heard


def _add(sound: Samples, part: Samples) -> None:
    """Add in place; what is too loud is clipped, not wrapped."""
    sound[:] = np.clip(sound.astype(np.int32) + part, -32768, 32767)
