"""RTP packets to send, and networks that lose, reorder and double them: for our own SRC, its tests and load."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LONGEST_DELAY = 4
"""A reordered packet leaves up to this many packet times late."""


@dataclass(frozen=True, slots=True)
class Impairment:
    """What a network does to a stream; each a share of the packets, 0–1. The same seed does the same."""

    loss: float = 0.0
    reorder: float = 0.0
    duplicates: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Departures:
    """Which packet leaves when."""

    packet: NDArray[np.int64]
    """Index of the packet, in the order of leaving."""
    tick: NDArray[np.int64]
    """When it leaves, in packet times since the start; not decreasing."""


def departures(count: int, impairment: Impairment) -> Departures:
    """Pass `count` packets through a network. The first packet is always on time, so that a truth has an anchor."""
    rng = np.random.default_rng(impairment.seed)
    fate = rng.random(count)
    delay = rng.integers(1, LONGEST_DELAY + 1, count)
    fate[:1] = 1.0
    lost = fate < impairment.loss
    late = ~lost & (fate < impairment.loss + impairment.reorder)
    double = ~lost & (rng.random(count) < impairment.duplicates)
    index = np.arange(count)
    tick = np.where(late, index + delay, index)
    packet = np.concatenate([index[~lost], index[double]])
    leaves = np.concatenate([tick[~lost], tick[double]])
    order = np.lexsort((packet, leaves))
    return Departures(packet[order], leaves[order])


@dataclass(frozen=True, slots=True)
class Stream:
    """The packets of one SSRC (RFC 3550 §5.1); the frames are repeated as long as packets are asked for."""

    frames: Sequence[bytes]
    """Payloads."""
    payload_type: int
    ssrc: int
    sequence: int
    """Of the first packet."""
    timestamp: int
    """Of the first packet."""
    step: int
    """Timestamp units of a frame."""

    def packet(self, index: int) -> bytes:
        """The packet of a frame; sequence number and timestamp wrap, the first packet has the marker."""
        marker = 0x80 if index == 0 else 0
        sequence = (self.sequence + index) & 0xFFFF
        timestamp = (self.timestamp + index * self.step) & 0xFFFFFFFF
        header = struct.pack("!BBHII", 0x80, marker | self.payload_type, sequence, timestamp, self.ssrc)
        return header + self.frames[index % len(self.frames)]
