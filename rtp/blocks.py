"""Many small pieces of an array copied at once: payloads out of a capture, packets into a leg."""

from typing import TypeVar

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Item = TypeVar("Item", bound=np.generic)

_AT_ONCE = 1024


def windows(array: NDArray[Item], size: int, *, writeable: bool = False) -> NDArray[Item]:
    """Return every window of `size` items of a one-dimensional array as a view of shape (len(array) - size + 1, size).

    An index on the first axis takes or sets whole rows: a memory copy for each piece, not a look-up for each item.
    """
    step = array.strides[0]
    return as_strided(array, (len(array) - size + 1, size), (step, step), writeable=writeable)


def copy(
    source: NDArray[Item],
    source_at: NDArray[np.int64],
    target: NDArray[Item],
    target_at: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Copy `counts[i]` items from `source[source_at[i]:]` to `target[target_at[i]:]` for every i.

    Pieces of one size are copied together, a thousand at a time. They must lie within the arrays and not overlap in
    the target.
    """
    if len(counts) == 0:
        return
    alike = bool((counts == counts[0]).all())
    for size in counts[:1].tolist() if alike else np.unique(counts).tolist():
        chosen = np.arange(len(counts)) if alike else np.flatnonzero(counts == size)
        if size > 0:
            _copy(windows(source, size), source_at[chosen], windows(target, size, writeable=True), target_at[chosen])


def _copy(source: NDArray[Item], source_at: NDArray[np.int64], target: NDArray[Item], at: NDArray[np.int64]) -> None:
    """Copy rows; so many at once that what lies between source and target stays in the cache."""
    for first in range(0, len(at), _AT_ONCE):
        rows = slice(first, first + _AT_ONCE)
        target[at[rows]] = source[source_at[rows]]
