"""Redundant audio (RFC 2198): packets taken apart, and what they repeat of others that were lost put in their place."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from rtp.packet import Packets

NAME = "RED"
_MORE = 0x80


@dataclass(frozen=True, slots=True)
class Expanded:
    """Packets without redundancy, in order of arrival."""

    packets: Packets
    copied: NDArray[np.bool_]
    """Which were lost and are copies out of others, as if they had come right before those."""
    broken: int
    """Packets that could not be taken apart: they are left out."""


@dataclass(frozen=True, slots=True)
class _Block:
    kind: int
    offset: int
    """Timestamp units before the packet's own time."""
    start: int
    length: int


def expand(data: NDArray[np.uint8], packets: Packets, redundant: NDArray[np.bool_]) -> Expanded:
    """Take apart the packets that are `redundant`; a block that repeats a packet which came is not used."""
    rows: list[Packets] = []
    places = np.flatnonzero(~redundant).tolist()
    whole = packets.take(~redundant)
    present = _identities(packets)
    for index in np.flatnonzero(redundant).tolist():
        payload = data[packets.start[index] : packets.start[index] + packets.length[index]].tobytes()
        blocks = list(_blocks(payload, int(packets.start[index])))
        if not blocks:
            continue
        one = packets.take(slice(index, index + 1))
        made = [*_copies(one, blocks[:-1], present), _with(one, blocks[-1], 0)]
        rows += made
        places += [index] * len(made)
    apart = [whole, *rows]
    every = Packets(*(np.concatenate([getattr(each, column.name) for each in apart]) for column in fields(Packets)))
    order = np.argsort(places, kind="stable")
    place = np.array(places, np.int64)[order]
    copied = np.append(place[1:] == place[:-1], False)[: len(place)]
    return Expanded(every.take(order), copied, len(packets) - len(np.unique(place)))


def _identities(packets: Packets) -> set[tuple[int, int, int]]:
    columns = (packets.ssrc.tolist(), packets.sequence.tolist(), packets.timestamp.tolist())
    return set(zip(*columns, strict=True))


def _copies(one: Packets, blocks: list[_Block], present: set[tuple[int, int, int]]) -> Iterator[Packets]:
    """Yield what a packet repeats of others that are not there; the last block is of the packet right before."""
    for behind, block in zip(range(len(blocks), 0, -1), blocks, strict=True):
        copy = _with(one, block, behind)
        (identity,) = _identities(copy)
        if identity not in present and block.length:
            present.add(identity)
            yield copy


def _with(one: Packets, block: _Block, behind: int) -> Packets:
    """A packet as it would have come by itself."""
    return Packets(
        row=one.row,
        time_ns=one.time_ns,
        payload_type=np.full(1, block.kind, np.uint8),
        marker=one.marker & (behind == 0),
        sequence=(one.sequence.astype(np.int64) - behind).astype(np.uint16),
        timestamp=(one.timestamp.astype(np.int64) - block.offset).astype(np.uint32),
        ssrc=one.ssrc,
        start=np.full(1, block.start, np.int64),
        length=np.full(1, block.length, np.int64),
    )


def _blocks(payload: bytes, at: int) -> Iterator[_Block]:
    """Yield the blocks of a payload that lies at `at`, the primary one last (§3); none if it is broken."""
    heads, position = [], 0
    while position < len(payload) and payload[position] & _MORE:
        head = int.from_bytes(payload[position : position + 4].ljust(4, b"\0"))
        heads.append((head >> 24 & 0x7F, head >> 10 & 0x3FFF, head & 0x3FF))
        position += 4
    start = position + 1
    rest = len(payload) - start - sum(length for *_, length in heads)
    if rest < 0:
        return
    for kind, offset, length in heads:
        yield _Block(kind, offset, at + start, length)
        start += length
    yield _Block(payload[position], 0, at + start, rest)
