"""What `rtp.datagrams` leaves: UDP datagrams that came in IP fragments (RFC 791 §3.2, RFC 8200 §4.5), and TCP segments.

A SIP INVITE over UDP is longer than a packet, so in a capture of a mirror port it always comes in fragments.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, NamedTuple

import numpy as np

from rtp.datagrams import network
from rtp.ip import PROTOCOL_UDP
from rtp.section import Section

PROTOCOL_TCP: Final = 6
PATIENCE_NS: Final = 30_000_000_000
"""After which a fragment belongs to another datagram."""
_FRAGMENT: Final = 44
_EXTENSIONS: Final = (0, 43, 60)
Endpoint = tuple[str, int]
"""IP address and port."""


class Datagram(NamedTuple):
    """UDP."""

    time_ns: int
    """UTC, of the last part."""
    source: Endpoint
    destination: Endpoint
    payload: bytes


class Segment(NamedTuple):
    """TCP."""

    time_ns: int
    source: Endpoint
    destination: Endpoint
    sequence: int
    flags: int
    payload: bytes


class _Piece(NamedTuple):
    """An IP packet, or a part of one."""

    source: str
    destination: str
    protocol: int
    identification: int
    offset: int
    more: bool
    payload: bytes


@dataclass(slots=True)
class _Parts:
    """Fragments of one packet so far."""

    since_ns: int
    pieces: dict[int, bytes] = field(default_factory=dict)
    total: int | None = None

    def whole(self) -> bytes | None:
        """The packet, if nothing of it is missing."""
        joined = b""
        for offset, octets in sorted(self.pieces.items()):
            if offset > len(joined):
                return None
            joined += octets[len(joined) - offset :]
        return joined[: self.total] if self.total is not None and len(joined) >= self.total else None


@dataclass(frozen=True, slots=True)
class Rest:
    """What was put together."""

    datagrams: list[Datagram]
    segments: list[Segment]
    incomplete: int
    """Packets of which fragments are missing."""


def put_together(sections: list[Section]) -> Rest:
    """Find the fragments and the TCP of a capture."""
    waiting: dict[tuple[str, str, int, int], _Parts] = {}
    rest = Rest([], [], 0)
    incomplete = 0
    for time_ns, packet in sorted(_left(sections), key=lambda item: item[0]):
        piece = _ipv4(packet) if packet[0] >> 4 == 4 else _ipv6(packet)
        if piece is None:
            continue
        if piece.offset or piece.more:
            key = piece.source, piece.destination, piece.protocol, piece.identification
            incomplete += _is_stale(waiting.get(key), time_ns) and waiting.pop(key) is not None
            payload = _joined(waiting, key, piece, time_ns)
        else:
            payload = piece.payload
        if payload is not None:
            _take(rest, piece, time_ns, payload)
    return Rest(rest.datagrams, rest.segments, incomplete + len(waiting))


def _left(sections: list[Section]) -> Iterator[tuple[int, bytes]]:
    """Yield time and octets of the IP packets that are fragments or not UDP."""
    for section in sections:
        end = section.start + section.captured
        at = network(section.data, section.start, end, section.link)
        whole = np.flatnonzero(at + 20 <= end)
        version, protocol6 = section.data[at[whole]] >> 4, section.data[at[whole] + 6]
        fragment4 = (protocol6 & 0x3F).astype(np.int64) << 8 | section.data[at[whole] + 7]
        plain4 = (version == 4) & (fragment4 == 0) & (section.data[at[whole] + 9] != PROTOCOL_TCP)
        plain6 = (version == 6) & (protocol6 == PROTOCOL_UDP)
        for row in whole[~plain4 & ~plain6 & np.isin(version, (4, 6))].tolist():
            yield int(section.time_ns[row]), section.data[at[row] : end[row]].tobytes()


def _ipv4(packet: bytes) -> _Piece | None:
    size, length = 4 * (packet[0] & 15), int.from_bytes(packet[2:4], "big")
    if size < 20 or length < size or length > len(packet):
        return None
    fragment = int.from_bytes(packet[6:8], "big")
    source, destination = (str(ip_address(packet[at : at + 4])) for at in (12, 16))
    identification = int.from_bytes(packet[4:6], "big")
    offset, more = 8 * (fragment & 0x1FFF), bool(fragment & 0x2000)
    return _Piece(source, destination, packet[9], identification, offset, more, packet[size:length])


def _ipv6(packet: bytes) -> _Piece | None:
    if len(packet) < 40 or 40 + int.from_bytes(packet[4:6], "big") > len(packet):
        return None
    source, destination = (str(ip_address(packet[at : at + 16])) for at in (8, 24))
    kind, at, end = packet[6], 40, 40 + int.from_bytes(packet[4:6], "big")
    while kind in _EXTENSIONS and at + 2 <= end:
        kind, at = packet[at], at + 8 * (packet[at + 1] + 1)
    if kind != _FRAGMENT or at + 8 > end:
        return _Piece(source, destination, kind, 0, 0, False, packet[at:end])
    following, _, place, identification = struct.unpack_from("!BBHI", packet, at)
    offset, more = place & 0xFFF8, bool(place & 1)
    return _Piece(source, destination, following, identification, offset, more, packet[at + 8 : end])


def _is_stale(parts: _Parts | None, time_ns: int) -> bool:
    return parts is not None and time_ns - parts.since_ns > PATIENCE_NS


def _joined(
    waiting: dict[tuple[str, str, int, int], _Parts], key: tuple[str, str, int, int], piece: _Piece, time_ns: int
) -> bytes | None:
    """Note a fragment; returns the packet that it completes."""
    parts = waiting.setdefault(key, _Parts(time_ns))
    parts.pieces.setdefault(piece.offset, piece.payload)
    if not piece.more:
        parts.total = piece.offset + len(piece.payload)
    whole = parts.whole()
    if whole is not None:
        del waiting[key]
    return whole


def _take(rest: Rest, piece: _Piece, time_ns: int, payload: bytes) -> None:
    if piece.protocol == PROTOCOL_UDP and len(payload) >= 8:
        source, destination, length = struct.unpack_from("!HHH", payload)
        ends = (piece.source, source), (piece.destination, destination)
        rest.datagrams.append(Datagram(time_ns, *ends, payload[8 : max(length, 8)]))
    elif piece.protocol == PROTOCOL_TCP and len(payload) >= 20:
        source, destination, sequence = struct.unpack_from("!HHI", payload)
        ends = (piece.source, source), (piece.destination, destination)
        rest.segments.append(Segment(time_ns, *ends, sequence, payload[13], payload[4 * (payload[12] >> 4) :]))
