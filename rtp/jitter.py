"""One SSRC's packets, as they came, in the order and at the place in time where they belong."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rtp import skew, stalls
from rtp.continuity import Continuity, follow

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
ANCHOR_WINDOW_NS = 10_000_000_000
"""Over which the lowest transit tells where a line of timestamps begins, so that one late packet does not."""
_EPOCH_BITS = 40
_EPOCH = 1 << _EPOCH_BITS
"""More than any sequence number without wraps, so that epoch and sequence number sort as one integer."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """Holes between packets that follow each other, one item a hole."""

    start_ns: Integers
    """UTC, where the sound before ends."""
    length_ns: Integers
    """0 where packets are missing but the timestamps leave no hole."""
    missing: Integers
    """Packets lost in it; 0: the sender was silent (DTX, a pause, digits)."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The audio packets of one SSRC in order of play, each once; and what became of the others."""

    packet: Integers
    """Which of the packets given."""
    anchor_ns: Integers
    """UTC of tick 0 of its line of timestamps."""
    ticks: Floats
    """Where its sound begins, in ticks from the anchor: whole ones, but where the skew of its clock is made good."""
    duration: Integers
    """Ticks of sound."""
    missing: Integers
    """Packets lost right before each."""
    gaps: Gaps
    packets: int
    """Distinct ones that belong to the stream, audio or not."""
    lost: int
    duplicates: int
    reordered: int
    """Came after one that follows it."""
    strays: int
    """Fit no line of sequence numbers and timestamps."""
    skew: Floats
    """Of its line of timestamps, one a packet played; see `rtp.skew`."""

    def earlier(self, by_ns: int) -> "Timeline":
        """Return the same packets, each at an earlier place."""
        gaps = replace(self.gaps, start_ns=self.gaps.start_ns - by_ns)
        return replace(self, anchor_ns=self.anchor_ns - by_ns, gaps=gaps)


def order(
    sequence: NDArray[np.uint16],
    timestamp: NDArray[np.uint32],
    time_ns: Integers,
    clock_rate: Integers,
    duration: Integers,
    audio: NDArray[np.bool_],
) -> Timeline:
    """Bring packets of one SSRC, given in order of arrival, into their order and place.

    Args:
        time_ns: of arrival, UTC.
        clock_rate: Hz.
        duration: ticks that each payload sounds; 0: not known, so take it from the timestamps.
        audio: False for packets in the same line of sequence numbers whose timestamps say something else: digits
            (RFC 4733 §2.5.1.2: the start of the event) and comfort noise.
    """
    heard = np.flatnonzero(audio)
    course = follow(sequence[heard], timestamp[heard], time_ns[heard], clock_rate[heard])
    key = _keys(sequence, heard, course)
    kept = np.flatnonzero(key >= 0)
    unique = kept[_first_of_each(key[kept])]
    played = unique[audio[unique]]
    anchor = course.anchor[(np.cumsum(audio) - 1)[played]]
    ticks, anchor_ns = _places(timestamp, time_ns, clock_rate, played, anchor)
    skewed = _skew(ticks, anchor_ns, time_ns[played], clock_rate[played], anchor)
    stretch = 1 / (1 - skewed)
    if len(played) and (anchor != anchor[0]).any():
        begin_ns = anchor_ns + np.rint(ticks * stretch * (1e9 / clock_rate[played])).astype(np.int64)
        columns = (timestamp[played], time_ns[played], begin_ns, clock_rate[played])
        anchor_ns = anchor_ns - stalls.held_back(anchor, key[played], *columns)
    sound = _known_durations(duration[played], ticks, key[played])
    missing = _missing(key[unique])
    total = np.cumsum(missing)[audio[unique]]
    return Timeline(
        packet=played,
        anchor_ns=anchor_ns,
        ticks=ticks * stretch,
        duration=sound,
        missing=np.diff(total, prepend=0),
        gaps=_gaps(anchor_ns, ticks, sound, clock_rate[played] / stretch, total),
        packets=len(unique),
        lost=int(missing.sum()),
        duplicates=len(kept) - len(unique),
        reordered=_late(unique, key),
        strays=len(sequence) - len(kept),
        skew=skewed,
    )


def _keys(sequence: NDArray[np.uint16], heard: Integers, course: Continuity) -> Integers:
    """Return one number a packet that sorts by epoch, then sequence number without wraps; -1 for a stray."""
    key = np.where(course.epoch < 0, -1, course.epoch * _EPOCH + course.extended + _EPOCH // 2)
    if len(heard) == len(sequence):
        return key
    if len(heard) == 0:
        steps = np.diff(sequence, prepend=sequence[:1]).view(np.int16).astype(np.int64)
        return np.cumsum(steps) + _EPOCH // 2
    return _between(sequence, heard, key)


def _between(sequence: NDArray[np.uint16], heard: Integers, key: Integers) -> Integers:
    """Give the packets that are not audio their keys, from the audio packet that came before."""
    everything = np.full(len(sequence), -1, np.int64)
    everything[heard] = key
    certain = heard[key >= 0]
    others = np.setdiff1d(np.arange(len(sequence)), heard, assume_unique=True)
    before = certain[np.maximum(np.searchsorted(certain, others) - 1, 0)]
    step = (sequence[others] - sequence[before]).view(np.int16)
    everything[others] = everything[before] + step
    return everything


def _first_of_each(key: Integers) -> Integers:
    """Return where each key stands first, in order of the keys."""
    if (np.diff(key) > 0).all():
        return np.arange(len(key))
    by_key = np.argsort(key, kind="stable")
    return by_key[np.diff(key[by_key], prepend=-1) > 0]


def _late(unique: Integers, key: Integers) -> int:
    """Count the packets, given in order of play, that came after one that follows them."""
    if (np.diff(unique) > 0).all():
        return 0
    came = key[np.sort(unique)]
    return int((came < np.maximum.accumulate(came)).sum())


def _missing(key: Integers) -> Integers:
    """Return how many sequence numbers of the same epoch are missing before each packet."""
    skipped = np.diff(key, prepend=key[:1] - 1) - 1
    epoch = key >> _EPOCH_BITS
    return np.where(np.diff(epoch, prepend=epoch[:1]) == 0, skipped, 0)


def _places(
    timestamp: NDArray[np.uint32], time_ns: Integers, clock_rate: Integers, played: Integers, anchor: Integers
) -> tuple[Integers, Integers]:
    """Return ticks and anchor of each packet played; a packet of the lowest transit begins when it arrived."""
    ticks, anchor_ns = np.empty_like(played), np.empty_like(played)
    for line in np.flatnonzero(np.bincount(anchor)).tolist():
        chosen = _on(line, anchor)
        packets = played[chosen]
        first = packets.min()
        elapsed_ns = time_ns[packets] - time_ns[first]
        clock = int(clock_rate[first])
        ticks[chosen] = _unwrapped(timestamp[packets] - timestamp[first], elapsed_ns * (clock / 1e9))
        early = elapsed_ns <= ANCHOR_WINDOW_NS
        transit = elapsed_ns[early] - ticks[chosen][early] * (1e9 / clock)
        anchor_ns[chosen] = time_ns[first] + round(float(transit.min()))
    return ticks, anchor_ns


def _on(line: int, anchor: Integers) -> slice | NDArray[np.bool_]:
    """Return which packets are on a line of timestamps: mostly all of them, which then are not copied."""
    chosen = anchor == line
    return slice(None) if chosen.all() else chosen


def _skew(ticks: Integers, anchor_ns: Integers, time_ns: Integers, clock_rate: Integers, anchor: Integers) -> Floats:
    """Return the skew of the line of timestamps of each packet."""
    skewed = np.zeros(len(ticks))
    for line in np.flatnonzero(np.bincount(anchor)).tolist():
        chosen = _on(line, anchor)
        elapsed_ns = time_ns[chosen] - anchor_ns[chosen]
        transit_ns = elapsed_ns - ticks[chosen] * (1e9 / clock_rate[chosen])
        skewed[chosen] = skew.measure(elapsed_ns, transit_ns)
    return skewed


def _unwrapped(difference: NDArray[np.uint32], expected: NDArray[np.float64]) -> Integers:
    """Return differences of 32-bit timestamps without wraps: the value nearest to what the clock says."""
    ticks = difference.astype(np.int64)
    return ticks + np.rint((expected - ticks) / 2.0**32).astype(np.int64) * (1 << 32)


def _known_durations(duration: Integers, ticks: Integers, key: Integers) -> Integers:
    """Fill durations of 0 with the step of the timestamps, or with the usual one where something is missing."""
    unknown = duration == 0
    if not unknown.any():
        return duration
    step = np.diff(ticks, append=ticks[-1:])
    follows = (np.diff(key, append=key[-1:]) == 1) & (step > 0)
    usual = int(np.median(step[follows])) if follows.any() else 0
    guess = np.where(follows & (step < 2 * usual), step, usual)
    return np.where(unknown, guess, duration)


def _gaps(anchor_ns: Integers, ticks: Integers, duration: Integers, clock_rate: Floats, missing: Integers) -> Gaps:
    """Return the holes; `missing` counts the packets missing up to each one played."""
    begin = anchor_ns + np.rint(ticks * (1e9 / clock_rate)).astype(np.int64)
    end = anchor_ns + np.rint((ticks + duration) * (1e9 / clock_rate)).astype(np.int64)
    length, lost = begin[1:] - end[:-1], np.diff(missing)
    hole = (length > 0) | (lost > 0)
    return Gaps(end[:-1][hole], np.maximum(length[hole], 0), lost[hole])
