"""Many small pieces of an array copied at once: payloads out of a capture, packets into a leg."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item", bound=np.generic)

_AT_ONCE = 1024
_WORTH_JOINING = 8
"""Pieces in a run, on average, that make a copy of their own cheaper than an index."""


def windows(array: NDArray[Item], size: int, *, writeable: bool = False) -> NDArray[Item]:
    """Return every window of `size` items of a one-dimensional array as a view of shape (len(array) - size + 1, size).

    An index on the first axis takes or sets whole rows: a memory copy for each piece, not a look-up for each item.
    """
    step = array.strides[0]
    view: NDArray[Item] = np.ndarray((len(array) - size + 1, size), array.dtype, array, 0, (step, step))
    view.flags.writeable = writeable
    return view


def joined(source: NDArray[Item], at: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[Item]:
    """Return `counts[i]` items from `source[at[i]:]` for every i, end to end. The pieces must lie within the array."""
    if len(counts) > 0 and (counts == counts[0]).all():
        alike: NDArray[Item] = windows(source, int(counts[0]))[at].ravel()
        return alike
    out = np.empty(int(counts.sum()), source.dtype)
    copy(source, at, out, np.cumsum(counts) - counts, counts)
    return out


def copy(
    source: NDArray[Item],
    source_at: NDArray[np.int64],
    target: NDArray[Item],
    target_at: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Copy `counts[i]` items from `source[source_at[i]:]` to `target[target_at[i]:]` for every i.

    Pieces that follow each other in both arrays are copied as one, others of one size a thousand at a time. They must
    lie within the arrays and not overlap in the target.
    """
    if len(counts) == 0:
        return
    ends = np.flatnonzero((np.diff(source_at) != counts[:-1]) | (np.diff(target_at) != counts[:-1]))
    if len(ends) * _WORTH_JOINING < len(counts):
        _copy_runs(source, source_at, target, target_at, counts, ends)
        return
    alike = bool((counts == counts[0]).all())
    for size in counts[:1].tolist() if alike else np.unique(counts).tolist():
        chosen = slice(None) if alike else np.flatnonzero(counts == size)
        if size > 0:
            _copy_alike(source, source_at[chosen], target, target_at[chosen], size)


def _copy_runs(
    source: NDArray[Item],
    source_at: NDArray[np.int64],
    target: NDArray[Item],
    target_at: NDArray[np.int64],
    counts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> None:
    """Copy pieces joined to runs, of which `ends` are the last pieces but for the very last."""
    firsts, lasts = np.append(0, ends + 1), np.append(ends, len(counts) - 1)
    sizes = source_at[lasts] + counts[lasts] - source_at[firsts]
    for begin, to, size in zip(source_at[firsts].tolist(), target_at[firsts].tolist(), sizes.tolist(), strict=True):
        target[to : to + size] = source[begin : begin + size]


def _copy_alike(
    source: NDArray[Item], source_at: NDArray[np.int64], target: NDArray[Item], target_at: NDArray[np.int64], size: int
) -> None:
    """Copy pieces of one size; so many at once that what lies between source and target stays in the cache."""
    pieces, places = windows(source, size), windows(target, size, writeable=True)
    for first in range(0, len(target_at), _AT_ONCE):
        rows = slice(first, first + _AT_ONCE)
        places[target_at[rows]] = pieces[source_at[rows]]
