"""Captures whose writers were killed in mid-write."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtp.pcap import HEADER, read, record
from rtp.resync import whole_records

A, B = ("192.0.2.1", 5004), ("192.0.2.2", 16384)
A6, B6 = ("2001:db8::1", 5004), ("2001:db8::2", 16384)


def packet(number: int, size: int, *, six: bool = False) -> bytes:
    payload = np.random.default_rng(number).bytes(size)
    source, destination = (A6, B6) if six else (A, B)
    return record(payload, source, destination, 1_700_000_000_000_000_000 + 20_000_000 * number)


def starts(parts: list[tuple[bytes, bool]]) -> tuple[bytes, list[int], int]:
    """All octets, where the whole records begin, octets of torn ones."""
    octets, at, lost = HEADER, [], 0
    for part, whole in parts:
        if whole:
            at.append(len(octets))
        else:
            lost += len(part)
        octets += part
    return octets, at, lost


@st.composite
def captures(draw: st.DrawFn) -> list[tuple[bytes, bool]]:
    """Whole records, and some torn anywhere."""
    parts: list[tuple[bytes, bool]] = [(packet(0, 800), True)]
    for number in range(1, draw(st.integers(1, 30))):
        octets = packet(number, draw(st.sampled_from([0, 12, 172, 172, 172, 900])), six=draw(st.booleans()))
        if parts[-1][1] and draw(st.integers(0, 4)) == 0:
            parts.append((octets[: draw(st.integers(1, len(octets) - 1))], False))
        parts.append((octets, True))
    if draw(st.booleans()):
        parts.append((packet(99, 172)[: draw(st.integers(1, 215))], False))
    return parts


@given(captures())
def test_torn_records_are_passed_over(parts: list[tuple[bytes, bool]]) -> None:
    octets, at, lost = starts(parts)
    found, missing = whole_records(np.frombuffer(octets, np.uint8), len(HEADER))
    assert (found.tolist(), missing) == (at, lost)


@pytest.mark.parametrize("kept", [1, 7, 15, 16, 20, 26, 100, 215])
def test_a_capture_is_read_around_them(tmp_path: Path, kept: int) -> None:
    whole = [packet(number, 172) for number in range(40)]
    path = tmp_path / "torn.pcap"
    path.write_bytes(HEADER + b"".join(whole[:30]) + whole[30][:kept] + b"".join(whole[30:]))
    found = read(path)
    assert found.lost_tail == kept
    assert [found.payload(i) for i in range(len(found))] == [
        np.random.default_rng(number).bytes(172) for number in range(40)
    ]
