"""A call under way as sound to hear: caller left, callee right, at 48 kHz, in one piece."""

from pathlib import Path
from typing import Final

import numpy as np

from rtp.codecs import Samples
from rtp.mix import resample
from srs.archive.captures import far_side
from srs.live.window import LENGTH_NS, LegSound, Window

RATE: Final = 48_000
GRID_NS: Final = 20_000_000
"""Sounds begin at whole multiples of it: in every window the samples then lie at the same moments."""
WARM_NS: Final = 1_000_000_000
"""So long decoders are heard before anything is taken from them."""
REORDER_NS: Final = 60_000_000
"""So long packets may overtake each other while others follow."""
WRITTEN_NS: Final = 600_000_000
"""What came before is written, if it is ever."""


class Ear:
    """Hears the captures of one call; a phone may fork it as two."""

    def __init__(self, capture: Path) -> None:
        """
        Raises:
            OSError: it cannot be read; the call may have ended.
        """
        self._far = far_side(capture)
        self._windows = [Window(capture)]
        self._sound = np.zeros((0, 2), np.int16)
        self._begin_ns = 0
        """When the first of `_sound` is heard."""

    def close(self) -> None:
        for window in self._windows:
            window.close()

    @property
    def is_over(self) -> bool:
        return self._windows[0].is_over

    def hear(self, now_ns: int) -> None:
        """Make sound of what has been written."""
        if len(self._windows) == 1 and self._far.exists():
            self._windows.append(Window(self._far))
        for window in self._windows:
            window.move(now_ns)
        newest_ns = max(window.newest_ns for window in self._windows)
        heard_ns = max(self._end_ns, newest_ns - LENGTH_NS + WARM_NS) // GRID_NS * GRID_NS
        until_ns = (newest_ns - REORDER_NS) // GRID_NS * GRID_NS
        if until_ns <= heard_ns:  # nothing new: what came last is heard when nothing can overtake it any more
            until_ns = (now_ns - WRITTEN_NS) // GRID_NS * GRID_NS
        if min(newest_ns, until_ns) <= heard_ns:
            return
        fresh = self._between(heard_ns - WARM_NS, until_ns + REORDER_NS)
        first, last = (round(ns * RATE / 1e9) for ns in (WARM_NS, WARM_NS + until_ns - heard_ns))
        self._add(heard_ns, fresh[first:last])

    @property
    def _end_ns(self) -> int:
        return self._begin_ns + round(len(self._sound) * 1e9 / RATE)

    def _between(self, since_ns: int, until_ns: int) -> Samples:
        length = round((until_ns - since_ns) * RATE / 1e9)
        sound = np.zeros((length, 2), np.int32)
        every = [leg for window in self._windows for leg in window.sounds(since_ns, until_ns)]
        for channel, leg in enumerate(every):
            samples = _at_rate(leg, length)
            for side in (channel,) if channel < 2 else (0, 1):
                sound[: len(samples), side] += samples
        return np.clip(sound, -32768, 32767).astype(np.int16)

    def _add(self, since_ns: int, fresh: Samples) -> None:
        """Keep sound that begins at `since_ns`, behind what is kept or, after a hole, in its place."""
        if since_ns != self._end_ns:
            self._sound, self._begin_ns = self._sound[:0], since_ns
        self._sound = np.concatenate([self._sound, fresh])

    def take(self, since_ns: int, length: int) -> Samples:
        """Return what is heard from a moment on, (length, 2); silence where nothing is. What is before is forgotten."""
        out = np.zeros((length, 2), np.int16)
        first = round((since_ns - self._begin_ns) * RATE / 1e9)
        part = self._sound[max(first, 0) : max(first + length, 0)]
        at = min(max(-first, 0), length)
        out[at : at + len(part)] = part[: length - at]
        gone = min(max(first, 0), len(self._sound)) // 960 * 960
        self._sound, self._begin_ns = self._sound[gone:], self._begin_ns + round(gone * 1e9 / RATE)
        return out


def _at_rate(leg: LegSound, length: int) -> Samples:
    return resample(leg.samples, leg.rate, RATE)[:length]
