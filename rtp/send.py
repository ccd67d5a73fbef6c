"""RTP packets to send, and networks that lose, reorder and double them: for our own SRC, its tests and load."""

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


def packets(
    payload: NDArray[np.uint8], *, payload_type: int, ssrc: int, sequence: int, timestamp: int, step: int
) -> NDArray[np.uint8]:
    """RTP packets (RFC 3550 §5.1) around equal payloads; the first has the marker bit.

    Args:
        payload: (n, octets of one packet).
        sequence, timestamp: of the first packet; both wrap.
        step: timestamp units from one packet to the next.

    Returns:
        (n, 12 + octets) uint8.
    """
    count, size = payload.shape
    index = np.arange(count, dtype=np.uint64)
    out = np.empty((count, 12 + size), np.uint8)
    header = np.zeros(count, [("flags", ">u1"), ("type", ">u1"), ("seq", ">u2"), ("ts", ">u4"), ("ssrc", ">u4")])
    header["flags"] = 0x80
    header["type"] = payload_type
    header["type"][:1] |= 0x80
    header["seq"] = (sequence + index) & 0xFFFF
    header["ts"] = (timestamp + index * step) & 0xFFFFFFFF
    header["ssrc"] = ssrc
    out[:, :12] = header.view(np.uint8).reshape(count, 12)
    out[:, 12:] = payload
    return out
