"""Packets that came late for long, told from a sender that stood still.

At first both look the same, and what follows lies on a new line of timestamps. But no sender can send a sound before it
is there: when packets come quicker again, and sequence numbers and timestamps go on as if nothing had been, it was the
network that held back what came before.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtp.continuity import agree

Integers = NDArray[np.int64]
EARLY_NS: Final = 20_000_000
"""By which a packet comes before the place of its sound, so that its line is moved: less is not heard."""
MOST_LOST: Final = 1 << 16
"""Packets between two lines; a step to another epoch is more."""


def held_back(
    line: Integers, key: Integers, timestamp: NDArray[np.uint32], came_ns: Integers, begin_ns: Integers, clock: Integers
) -> Integers:
    """Return by how many nanoseconds each packet is placed later than it was sent.

    Args: one item a packet, in order of play.
        line: of timestamps.
        key: a number that goes up by one from packet to packet of the same epoch; see `rtp.continuity`.
        came_ns: UTC.
        begin_ns: where its sound is placed by its line, UTC.
        clock: Hz.
    """
    firsts = np.flatnonzero(np.diff(line, prepend=line[:1] - 1))
    before = np.maximum(firsts - 1, 0)
    ticks = (timestamp[firsts] - timestamp[before]).view(np.int32)
    step = key[firsts] - key[before]
    goes_on = (step > 0) & (step < MOST_LOST) & (clock[firsts] == clock[before]) & agree(step, ticks, clock[firsts])
    stood_ns = begin_ns[firsts] - begin_ns[before] - np.rint(ticks * (1e9 / clock[firsts])).astype(np.int64)
    early_ns = np.maximum.reduceat(begin_ns - came_ns, firsts)
    late_ns = _late(goes_on.tolist(), stood_ns.tolist(), early_ns.tolist())
    return np.repeat(np.array(late_ns, np.int64), np.diff(firsts, append=len(line)))


def _late(goes_on: list[bool], stood_ns: list[int], early_ns: list[int]) -> list[int]:
    """Return by how much each line is placed too late.

    Args: one item a line.
        goes_on: sequence numbers and timestamps go on from the line before.
        stood_ns: for how long the sender stood still before, if it did; less than 0: the line before is too late.
        early_ns: by how much a packet of it came before the place of its sound.
    """
    late_ns = [early if follows and early > EARLY_NS else 0 for follows, early in zip(goes_on, early_ns, strict=True)]
    for index in range(len(goes_on) - 1, 0, -1):
        if goes_on[index]:
            stood = stood_ns[index] + late_ns[index - 1] - late_ns[index]
            late_ns[index - 1] += max(-stood, 0)
    return late_ns
