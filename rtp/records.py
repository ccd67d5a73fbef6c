"""Where the records of a capture file begin. Each tells but its own length; runs of equal ones are found at once."""

import struct

import numpy as np
from numpy.typing import NDArray

HEADER_SIZE = 16
LARGEST = 1 << 18
"""Octets of a record that makes sense."""
PATIENCE = 12
"""Records of one length before more of them are looked for."""
FIRST_LOOK = 64
"""Records looked at then; four times as many each time that all are alike."""


def rows(data: NDArray[np.uint8], at: NDArray[np.int64], kind: np.dtype[np.void]) -> NDArray[np.void]:
    """Return the structures of type `kind` at octets `at`, copied; each must lie within the data."""
    if len(at) == 0:
        return np.empty(0, kind)
    size = kind.itemsize
    every = np.ndarray(len(data) - size + 1, f"V{size}", data.data, 0, 1)  # opaque: numpy copies fields one by one
    return every[at].view(kind)


def boundaries(data: NDArray[np.uint8], first: int, order: str) -> tuple[NDArray[np.int64], int]:
    """Return where each record begins, and where the last whole one ends.

    Args:
        data: the file.
        first: where the first record begins.
        order: of the octets, "<" or ">".
    """
    length_at = struct.Struct(f"{order}8xI").unpack_from
    octets = data.data
    starts, strides, counts = [], [], []
    at, stride, alike = first, 0, 0
    while at + HEADER_SIZE <= len(data):
        captured: int = length_at(octets, at)[0]
        if not 0 < captured <= LARGEST or at + HEADER_SIZE + captured > len(data):
            break
        alike = alike + 1 if captured + HEADER_SIZE == stride else 0
        stride = captured + HEADER_SIZE
        count = _alike(data, at, stride, order) if alike == PATIENCE else 1
        starts.append(at)
        strides.append(stride)
        counts.append(count)
        at += count * stride
    return _spread(starts, strides, counts), at


def _alike(data: NDArray[np.uint8], at: int, stride: int, order: str) -> int:
    """Return how many whole records of one length follow each other."""
    most = (len(data) - at) // stride
    lengths = np.ndarray(most, f"{order}u4", data.data, at + 8, stride)
    done, look = 1, FIRST_LOOK
    while done < most:
        other = np.flatnonzero(lengths[done : done + look] != stride - HEADER_SIZE)
        if len(other):
            return done + int(other[0])
        done, look = min(done + look, most), 4 * look
    return done


def _spread(starts: list[int], strides: list[int], counts: list[int]) -> NDArray[np.int64]:
    """Return the beginnings of the records in all runs."""
    count = np.array(counts, np.int64)
    index = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    at: NDArray[np.int64] = np.repeat(starts, count) + index * np.repeat(strides, count)
    return at.astype(np.int64)
