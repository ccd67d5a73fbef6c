"""Where one SSRC's packets go on and where they begin anew.

A sender may restart its sequence numbers, its timestamps or both under the same SSRC; a network may lose ten minutes,
hold packets back, or bring one that belongs to nothing (RFC 3550 A.1). What tells them apart is the transit: the time
of arrival less the timestamp. It is constant but for jitter while a sender goes on, whatever was lost in between, and
jumps when it re-bases its timestamps.

The packets fall into runs at the few steps that look odd; only those runs are walked one by one, and each joins a
segment that it continues or begins a new one:

- an epoch is one line of sequence numbers: order, losses and duplicates are counted within it;
- an anchor is one line of timestamps: the place of a packet is told by its timestamp within it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import remainder

import numpy as np
from numpy.typing import NDArray

TURN = 2.0**32
"""Ticks after which a timestamp comes again."""
MAX_DROPOUT = 3000
"""Packets lost at once that need no other proof (RFC 3550 A.1)."""
MAX_MISORDER = 100
"""Packets that one may come late by (RFC 3550 A.1)."""
BACKWARD_SHIFT_S = 0.1
"""Lasting change of the transit that makes a step back in sequence a restart."""
SHIFT_S = 0.5
"""Lasting change of the transit that makes timestamps a new line: the sender stood still, or re-based them."""
LATEST_S = 1.0
"""By which a packet may come late from before a silence."""
WILD_S = 10.0
LONGEST_PACKET_S = 0.2
WINDOW_S = 1.0
"""Over which the lowest transit is taken, so that jitter does not look like a change."""
WINDOW_PACKETS = 64
LASTING_PACKETS = 10
"""Packets that a change must last for."""
REMEMBERED = 8
"""Segments that a packet may still belong to."""


@dataclass(frozen=True, slots=True)
class Continuity:
    """One item a packet, in order of arrival."""

    epoch: NDArray[np.int64]
    """-1: a stray packet that belongs to nothing."""
    anchor: NDArray[np.int64]
    extended: NDArray[np.int64]
    """Sequence number without wraps, within the epoch."""


def follow(
    sequence: NDArray[np.uint16],
    timestamp: NDArray[np.uint32],
    time_ns: NDArray[np.int64],
    clock_rate: NDArray[np.int64],
) -> Continuity:
    """Tell the epochs and anchors of one SSRC's packets, given in order of arrival.

    Args:
        clock_rate: Hz; a change begins a new anchor (RFC 7160).
    """
    walk = _Walk(sequence, timestamp, time_ns, clock_rate)
    for first, end in walk.runs():
        walk.add(first, end)
    return walk.result()


@dataclass(slots=True, eq=False)
class _Segment:
    epoch: int
    anchor: int
    last: int
    """The packet of it that came last."""
    lowest: int
    """A recent packet of it with the lowest transit."""
    count: int = 0


class _Walk:
    def __init__(
        self,
        sequence: NDArray[np.uint16],
        timestamp: NDArray[np.uint32],
        time_ns: NDArray[np.int64],
        clock_rate: NDArray[np.int64],
    ) -> None:
        self._sequence, self._timestamp, self._clock = sequence, timestamp, clock_rate
        self._seconds = (time_ns - time_ns[:1]) / 1e9
        self._step = np.diff(sequence).view(np.int16).astype(np.int64)
        self._ticks = np.diff(timestamp).view(np.int32)
        self._drift = _wrap(np.diff(self._seconds) * clock_rate[1:] - self._ticks)
        self._transit = np.concatenate([[0.0], np.cumsum(self._drift)])[: len(sequence)]
        self._unwrapped = np.concatenate([[0], np.cumsum(self._step)])[: len(sequence)]
        self._recent: list[_Segment] = []
        self._epochs = self._anchors = 0
        self._epoch, self._anchor, self._extended = (np.empty(len(sequence), np.int64) for _ in range(3))

    def runs(self) -> Iterator[tuple[int, int]]:
        """Yield (first, end) of the packets between odd steps."""
        if len(self._sequence) == 0:
            return
        edges = [0, *(self._odd_steps() + 1).tolist(), len(self._sequence)]
        yield from pairwise(edges)

    def add(self, first: int, end: int) -> None:
        """Give the packets of a run to the segment that they continue, or to a new one."""
        for segment in self._recent:
            step = self._continued_by(segment, first, end)
            if step is not None:
                return self._join(segment, step, first, end)
        for segment in self._recent:
            if segment.count > 1 or self._is_next(segment.last, first):
                step = self._rebased_by(segment, first, end)
                if step is not None:
                    return self._begin(segment.epoch, self._extended[segment.last] + step, first, end)
                break
        self._epochs += 1
        return self._begin(self._epochs - 1, 0, first, end)

    def result(self) -> Continuity:
        """Return what the runs came to; an epoch of a single packet among others is a stray (RFC 3550 A.1)."""
        sizes = np.bincount(self._epoch, minlength=1)
        if (sizes > 1).any():
            self._epoch[(sizes == 1)[self._epoch]] = -1
        return Continuity(self._epoch, self._anchor, self._extended)

    @cached_property
    def _packet_s(self) -> float:
        """Seconds from one packet to the next; only odd steps ask for it."""
        usual = (self._step == 1) & (self._ticks > 0)
        if not usual.any():
            return 0.02
        return float(np.median(self._ticks[usual] / self._clock[1:][usual]))

    def _odd_steps(self) -> NDArray[np.int64]:
        second, drift = self._clock[1:], np.abs(self._drift)
        odd = (self._step > MAX_DROPOUT) | (self._step < -MAX_MISORDER) | (drift > WILD_S * second)
        odd |= np.diff(self._clock) != 0
        unsteady = drift > BACKWARD_SHIFT_S * second
        odd |= unsteady & ~agree(self._step, self._ticks, second)
        shifted = np.flatnonzero(unsteady & ~odd)
        odd[shifted[self._lasts(shifted)]] = True
        return np.flatnonzero(odd)

    def _lasts(self, steps: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which steps change the lowest transit around them: not a single packet that came early or late."""
        around = np.arange(WINDOW_PACKETS)
        before = self._transit[np.maximum(steps[:, np.newaxis] - around, 0)].min(axis=1)
        after = self._transit[np.minimum(steps[:, np.newaxis] + 1 + around, len(self._transit) - 1)].min(axis=1)
        return np.asarray(np.abs(after - before) > BACKWARD_SHIFT_S * self._clock[steps + 1])

    def _continued_by(self, segment: _Segment, first: int, end: int) -> int | None:
        """Return the step in sequence to a run on the same line of timestamps, or None."""
        if self._clock[first] != self._clock[segment.last]:
            return None
        step = self._steps_between(segment.last, first)
        near = -MAX_MISORDER <= step <= MAX_DROPOUT
        misordered = abs(step) <= MAX_MISORDER and self._brief(step, first, end)
        if misordered and (self._agree(step, segment.last, first) or self._is_late(segment, step, first, end)):
            return step
        limit = BACKWARD_SHIFT_S if step <= 0 else SHIFT_S
        if abs(self._shift(segment.lowest, self._lowest(first, end))) > limit:
            return None
        return step if near else self._outage(step, segment.last, first)

    def _rebased_by(self, segment: _Segment, first: int, end: int) -> int | None:
        """Return the step in sequence to a run whose timestamps are a new line, or None."""
        step = self._steps_between(segment.last, first)
        same_clock = self._clock[first] == self._clock[segment.last]
        return step if 0 < step <= self._at_most(segment.last, first) and (end - first > 1 or not same_clock) else None

    def _outage(self, step: int, last: int, first: int) -> int | None:
        """Return a long step in sequence as the time that passed explains it, also past a wrap, or None."""
        expected = (self._seconds[first] - self._seconds[last]) / self._packet_s
        step += 65536 * round((expected - step) / 65536)
        return step if 0 < step <= self._at_most(last, first) else None

    def _at_most(self, last: int, first: int) -> float:
        """Return how many packets may have been sent between two."""
        return 50 + 1.5 * float(self._seconds[first] - self._seconds[last]) / self._packet_s

    def _steps_between(self, last: int, first: int) -> int:
        step = (int(self._sequence[first]) - int(self._sequence[last])) & 0xFFFF
        return step - 0x10000 if step >= 0x8000 else step

    def _is_late(self, segment: _Segment, step: int, first: int, end: int) -> bool:
        """Tell whether a run was sent before a silence, and what came behind that has overtaken it."""
        ticks = (int(self._timestamp[first]) - int(self._timestamp[segment.last]) + 2**31) % 2**32 - 2**31
        delay = self._shift(segment.lowest, self._lowest(first, end))
        return step < 0 and ticks < 0 and 0 <= delay <= LATEST_S

    def _is_next(self, last: int, first: int) -> bool:
        """Tell whether a packet follows another in sequence and timestamp: then that was no stray, though alone."""
        return self._steps_between(last, first) == 1 and self._agree(1, last, first)

    def _brief(self, step: int, first: int, end: int) -> bool:
        """Tell whether a run is too short to show a lasting change, or late and ends before what was there already."""
        return end - first < LASTING_PACKETS or step + int(self._unwrapped[end - 1] - self._unwrapped[first]) <= 0

    def _agree(self, step: int, last: int, first: int) -> bool:
        ticks = (self._timestamp[[first]] - self._timestamp[[last]]).view(np.int32)
        return bool(agree(np.array([step]), ticks, self._clock[[first]])[0])

    def _lowest(self, first: int, end: int) -> int:
        """Return the packet of the lowest transit in the first second of a run."""
        end = first + int(np.searchsorted(self._seconds[first:end], self._seconds[first] + WINDOW_S, "right"))
        return first + int(np.argmin(self._transit[first:end]))

    def _shift(self, before: int, after: int) -> float:
        """Return by how many seconds the transit of one packet is more than that of another."""
        ticks = float(self._timestamp[after]) - float(self._timestamp[before])
        clock = float(self._clock[after])
        return remainder((self._seconds[after] - self._seconds[before]) * clock - ticks, TURN) / clock

    def _begin(self, epoch: int, extended: int, first: int, end: int) -> None:
        segment = _Segment(epoch, self._anchors, last=first, lowest=self._lowest(first, end))
        self._anchors += 1
        self._recent = [segment, *self._recent[: REMEMBERED - 1]]
        self._extended[first] = extended
        self._join(segment, 0, first, end)

    def _join(self, segment: _Segment, step: int, first: int, end: int) -> None:
        base = self._extended[segment.last] + step
        self._extended[first:end] = self._unwrapped[first:end] - self._unwrapped[first] + base
        self._epoch[first:end], self._anchor[first:end] = segment.epoch, segment.anchor
        segment.count += end - first
        segment.last = end - 1
        self._refresh(segment, first, end)
        self._recent.remove(segment)
        self._recent.insert(0, segment)

    def _refresh(self, segment: _Segment, first: int, end: int) -> None:
        """Take the lowest transit of a segment from its last second; an older one stands while fresh and lower."""
        first += int(np.searchsorted(self._seconds[first:end], self._seconds[end - 1] - WINDOW_S))
        newest = first + int(np.argmin(self._transit[first:end]))
        fresh = self._seconds[end - 1] - self._seconds[segment.lowest] < 2 * WINDOW_S
        if not fresh or self._shift(segment.lowest, newest) < 0:
            segment.lowest = newest


def agree(step: NDArray[np.int64], ticks: NDArray[np.int32], clock_rate: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell whether timestamps went the way and about as far as sequence numbers."""
    far = np.abs(ticks) > np.abs(step) * LONGEST_PACKET_S * clock_rate
    return np.asarray((ticks * step >= 0) & ~far)


def _wrap(ticks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring differences of 32-bit timestamps to ±2^31."""
    return ticks - TURN * np.rint(ticks / TURN)
