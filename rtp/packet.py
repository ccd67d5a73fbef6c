"""The RTP headers of many datagrams as columns (RFC 3550 §5.1)."""

from collections import Counter
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from rtp.blocks import windows

HEADER_SIZE = 12
RTCP = (192, 223)
"""Values of the second octet that tell RTCP from RTP on one port (RFC 5761 §4)."""
_HEADER = np.dtype([("flags", "u1"), ("type", "u1"), ("sequence", ">u2"), ("timestamp", ">u4"), ("ssrc", ">u4")])
_FIRST_OCTET = (("stun", 0, 3), ("zrtp", 16, 19), ("dtls", 20, 63), ("turn", 64, 79))  # RFC 7983 §7


@dataclass(frozen=True, slots=True)
class Packets:
    """RTP packets, one row each, in order of arrival."""

    row: NDArray[np.int64]
    """Which datagram."""
    time_ns: NDArray[np.int64]
    """Of arrival, UTC."""
    payload_type: NDArray[np.uint8]
    marker: NDArray[np.bool_]
    sequence: NDArray[np.uint16]
    timestamp: NDArray[np.uint32]
    ssrc: NDArray[np.uint32]
    start: NDArray[np.int64]
    """Offset of the payload, behind CSRC list and header extension."""
    length: NDArray[np.int64]
    """Octets of payload, without padding."""

    def __len__(self) -> int:
        return len(self.row)

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64] | slice) -> "Packets":
        """Return some of them; of a mask or slice of all of them nothing is copied."""
        if not isinstance(which, slice) and which.dtype == bool and which.all():
            return self
        return Packets(*(getattr(self, column.name)[which] for column in fields(self)))


def parse(
    data: NDArray[np.uint8],
    rows: NDArray[np.int64],
    time_ns: NDArray[np.int64],
    start: NDArray[np.int64],
    length: NDArray[np.int64],
) -> tuple[Packets, Counter[str]]:
    """Read the RTP headers of datagrams that lie in `data`.

    Args:
        data: the octets that the datagrams lie in.
        rows, time_ns, start, length: one item a datagram: its number, arrival, offset and octets.

    Returns:
        The RTP packets, and how many datagrams were something else, by kind: "stun", "zrtp", "dtls", "turn", "rtcp",
        "short" (no whole header), "version" (not 2), "padding" (says that there is more padding than packet),
        "header" (CSRC list or extension longer than the packet).
    """
    flags, kinds = _first_octets(data, start, length)
    whole = length >= HEADER_SIZE
    candidate = whole & (flags >> 6 == 2)
    if not candidate.all():
        rows, time_ns, start, length = (column[candidate] for column in (rows, time_ns, start, length))
    header = windows(data, HEADER_SIZE)[start].view(_HEADER).ravel() if len(start) else np.empty(0, _HEADER)
    offset = header_sizes(data, header["flags"], start, length)
    padding = _padding(data, header["flags"], start, length)
    rtcp = (header["type"] >= RTCP[0]) & (header["type"] <= RTCP[1])
    broken = ~rtcp & (offset > length)
    padded_out = ~rtcp & ~broken & ((padding < 0) | (offset + padding > length))
    kinds.update(rtcp=int(rtcp.sum()), header=int(broken.sum()), padding=int(padded_out.sum()))
    packets = Packets(
        row=rows,
        time_ns=time_ns,
        payload_type=(header["type"] & 0x7F).astype(np.uint8),
        marker=header["type"] >= 0x80,
        sequence=header["sequence"].astype(np.uint16),
        timestamp=header["timestamp"].astype(np.uint32),
        ssrc=header["ssrc"].astype(np.uint32),
        start=start + offset,
        length=length - offset - padding,
    )
    rejected = rtcp | broken | padded_out
    return packets.take(~rejected) if rejected.any() else packets, +kinds


def _first_octets(
    data: NDArray[np.uint8], start: NDArray[np.int64], length: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], Counter[str]]:
    """Return the first octet of each datagram (0 for an empty one) and what they say is not RTP."""
    some = length > 0
    if some.all():
        flags = data[start]
    else:
        flags = np.zeros(len(start), np.uint8)
        flags[some] = data[start[some]]
    kinds: Counter[str] = Counter()
    other = some & (flags >> 6 != 2)
    if other.any():
        for kind, lowest, highest in _FIRST_OCTET:
            kinds[kind] = int((some & (flags >= lowest) & (flags <= highest)).sum())
        kinds["version"] = int(other.sum()) - kinds.total()
    kinds["short"] = int(((length < HEADER_SIZE) & ~other).sum())
    return flags, kinds


def header_sizes(
    data: NDArray[np.uint8], flags: NDArray[np.uint8], start: NDArray[np.int64], length: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the octets before each payload: fixed header, CSRC list, header extension (RFC 3550 §5.3.1)."""
    size = HEADER_SIZE + 4 * (flags & 15).astype(np.int64)
    extended = np.flatnonzero(flags & 0x10)
    fits = size[extended] + 4 <= length[extended]
    size[extended[~fits]] += 4  # longer than the packet, so the caller rejects it
    extended = extended[fits]
    at = start[extended] + size[extended]
    size[extended] += 4 + 4 * (data[at + 2].astype(np.int64) << 8 | data[at + 3])
    return size


def _padding(
    data: NDArray[np.uint8], flags: NDArray[np.uint8], start: NDArray[np.int64], length: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the octets of padding of each packet, which its last octet counts; -1 where that says none."""
    padding = np.zeros(len(flags), np.int64)
    padded = np.flatnonzero(flags & 0x20)
    count = data[start[padded] + length[padded] - 1].astype(np.int64)
    padding[padded] = np.where(count == 0, -1, count)
    return padding
