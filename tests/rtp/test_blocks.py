"""Pieces of arrays copied at once, against a loop."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rtp.blocks import copy, windows


def test_windows_are_views():
    array = np.arange(6)
    view = windows(array, 3, writeable=True)
    assert view.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]]
    view[1] = 9
    assert array.tolist() == [0, 9, 9, 9, 4, 5]


@given(counts=st.lists(st.integers(0, 7), max_size=20), seed=st.integers(0, 2**32 - 1))
def test_copy_is_the_loop(counts, seed):
    rng = np.random.default_rng(seed)
    counts = np.array(counts, np.int64)
    source = rng.integers(1, 30_000, 64).astype(np.int16)
    source_at = rng.integers(0, 64 - 7, len(counts))
    target_at = (
        (np.cumsum(counts) - counts + 3)[rng.permutation(len(counts))]
        if len(set(counts)) == 1
        else (np.cumsum(counts) - counts + 3)
    )
    target, expected = np.zeros(200, np.int16), np.zeros(200, np.int16)
    for s, t, n in zip(source_at, target_at, counts, strict=True):
        expected[t : t + n] = source[s : s + n]
    copy(source, source_at, target, target_at, counts)
    np.testing.assert_array_equal(target, expected)


def test_thousands_of_pieces():
    source = np.arange(10_000, dtype=np.int32)
    at = np.random.default_rng(1).permutation(5000) * 2
    target = np.zeros(10_000, np.int32)
    copy(source, at, target, np.arange(5000) * 2, np.full(5000, 2))
    np.testing.assert_array_equal(target, (at[:, np.newaxis] + [0, 1]).ravel())


@given(runs=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), min_size=1, max_size=6))
def test_pieces_that_follow_each_other_are_the_loop_too(runs):
    counts = np.concatenate([np.full(pieces, 3 + size) for pieces, size in runs]).astype(np.int64)
    skipped = np.concatenate([np.arange(pieces) == 0 for pieces, _ in runs]).cumsum() * 2
    source = np.arange(1, 3000, dtype=np.int16)
    source_at = np.cumsum(counts) - counts + skipped
    target_at = np.cumsum(counts) - counts + 3 * skipped
    target, expected = np.zeros(3000, np.int16), np.zeros(3000, np.int16)
    for s, t, n in zip(source_at, target_at, counts, strict=True):
        expected[t : t + n] = source[s : s + n]
    copy(source, source_at, target, target_at, counts)
    np.testing.assert_array_equal(target, expected)
