"""How much faster or slower a sender's sampling clock runs than ours.

The transit of a packet, its arrival less its timestamp, is never less than the way takes; the quickest packets of each
part of a stream lie on a line, and its slope is the skew. Delays bend single packets away from it, a new route breaks
it: the slope is the median of those between all parts (Theil-Sen), and it counts only where the parts keep to the line.
"""

from functools import cache
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

PARTS: Final = 32
LEAST_PARTS: Final = 8
LEAST_PART_NS: Final = 1_000_000_000
LEAST_NS: Final = 30_000_000_000
"""Of a stream: in less time a clock that is one drifts by nothing that is heard."""
LEAST_DRIFT_NS: Final = 8_000_000
"""Drift over a whole stream that is worth a correction: what drifts less stays sample for sample as it was sent."""
CERTAINTY: Final = 6
"""Times that the drift must be more than the parts are off the line."""
AGREEMENT: Final = 0.5
"""Share of the slope by which that of either half may differ from it."""
MOST: Final = 5e-4
"""A clock that is worse is none: something else is wrong."""


def measure(elapsed_ns: NDArray[np.int64], transit_ns: NDArray[np.float64]) -> float:
    """Return the skew of one line of timestamps; 0.0 where none can be told.

    1e-4: the sender's clock is 100 ppm slow, its packets seem to take longer and longer.

    Args:
        elapsed_ns: arrival of each packet, since any moment, in any order.
        transit_ns: arrival less timestamp, likewise.
    """
    if len(elapsed_ns) < LEAST_PARTS or np.ptp(elapsed_ns) < LEAST_NS:
        return 0.0
    at, lowest = _envelope(elapsed_ns, transit_ns)
    if len(at) < LEAST_PARTS:
        return 0.0
    slope = _slope(at, lowest)
    drift = abs(slope) * float(at[-1] - at[0])
    residual = lowest - slope * at
    off = float(np.median(np.abs(residual - np.median(residual))))
    if drift <= max(LEAST_DRIFT_NS, CERTAINTY * off) or abs(slope) > MOST:
        return 0.0
    middle = len(at) // 2
    halves = (_slope(at[:middle], lowest[:middle]), _slope(at[middle:], lowest[middle:]))
    return slope if all(abs(half - slope) <= AGREEMENT * abs(slope) for half in halves) else 0.0


def _slope(at: NDArray[np.float64], lowest: NDArray[np.float64]) -> float:
    """Return the median slope between any two parts."""
    one, other = _pairs(len(at))
    return float(np.median((lowest[other] - lowest[one]) / (at[other] - at[one])))


@cache
def _pairs(parts: int) -> NDArray[np.int64]:
    """Return the numbers of any two parts, (2, pairs)."""
    return np.array(list(combinations(range(parts), 2))).T


def _envelope(
    elapsed_ns: NDArray[np.int64], transit_ns: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return when the quickest packet of each part came, and its transit."""
    since = elapsed_ns - elapsed_ns.min()
    part = since // max(int(since.max()) // PARTS + 1, LEAST_PART_NS)
    if (np.diff(part) < 0).any():
        order = np.argsort(part, kind="stable")
        since, transit_ns, part = since[order], transit_ns[order], part[order]
    edges = np.flatnonzero(np.diff(part, prepend=-1)).tolist()
    quickest = [
        first + int(np.argmin(transit_ns[first:end])) for first, end in zip(edges, [*edges[1:], None], strict=True)
    ]
    return since[quickest].astype(np.float64), transit_ns[quickest]
