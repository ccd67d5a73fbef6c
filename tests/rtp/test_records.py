"""Record boundaries against a plain walk."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtp.records import FIRST_LOOK, PATIENCE, boundaries, rows

runs = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 3 * FIRST_LOOK)), max_size=12)


def walk(lengths, first):
    at = []
    for length in lengths:
        at.append(first)
        first += 16 + length
    return at, first


@given(runs, st.sampled_from("<>"), st.integers(0, 40))
def test_boundaries_are_those_of_a_plain_walk(runs, order, first):
    lengths = [length for length, count in runs for _ in range(count)]
    octets = bytes(first) + b"".join(
        struct.pack(f"{order}IIII", 1, 1, length, length) + b"\xee" * length for length in lengths
    )
    at, end = boundaries(np.frombuffer(octets, np.uint8), first, order)
    assert (at.tolist(), end) == walk(lengths, first)


@pytest.mark.parametrize("count", [PATIENCE, PATIENCE + 1, PATIENCE + 2, PATIENCE + FIRST_LOOK, 5 * FIRST_LOOK + 7])
@pytest.mark.parametrize("missing", [1, 15, 16, 17, 35])
def test_a_run_ends_with_its_last_whole_record(count, missing):
    octets = (struct.pack("<IIII", 1, 1, 20, 20) + bytes(20)) * count
    at, end = boundaries(np.frombuffer(octets[:-missing], np.uint8), 0, "<")
    assert (len(at), end) == (count - 1, 36 * (count - 1))


def test_rows_are_structures_at_any_octet():
    data = np.arange(20, dtype=np.uint8)
    kind = np.dtype([("one", "u1"), ("two", ">u2")])
    found = rows(data, np.array([0, 5, 17]), kind)
    assert found["one"].tolist() == [0, 5, 17]
    assert found["two"].tolist() == [0x0102, 0x0607, 0x1213]
    assert len(rows(data[:1], np.array([], np.int64), kind)) == 0
