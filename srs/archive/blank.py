"""Media in a capture overwritten: what must not be kept even where the capture is."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rtp import pcap
from rtp.packet import HEADER_SIZE
from srs.archive.facts import Interval

BEFORE_NS, AFTER_NS = 500_000_000, 2_500_000_000
"""Around a digit: packets of its tone; its last packets, and what RFC 2198 repeats of them for two seconds."""


def blank(capture: Path, intervals: Iterable[Interval]) -> None:
    """Overwrite the payloads of all RTP packets that came in the intervals, UTC in ns, or near them, with zeros.

    Raises:
        OSError: the file cannot be written.
    """
    datagrams = pcap.read(capture)
    chosen = np.zeros(len(datagrams), bool)
    for begin_ns, end_ns in intervals:
        chosen |= (datagrams.time_ns >= begin_ns - BEFORE_NS) & (datagrams.time_ns <= end_ns + AFTER_NS)
    chosen &= datagrams.length > HEADER_SIZE
    rows = np.flatnonzero(chosen)
    rows = rows[datagrams.data[datagrams.start[rows]] >> 6 == 2]
    with capture.open("r+b") as file:
        for start, length in zip(datagrams.start[rows].tolist(), datagrams.length[rows].tolist(), strict=True):
            file.seek(start + HEADER_SIZE)
            file.write(bytes(length - HEADER_SIZE))
        file.flush()
        os.fsync(file.fileno())
