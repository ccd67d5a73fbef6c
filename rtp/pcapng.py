"""Captures as Wireshark writes them (pcapng, draft-ietf-opsawg-pcapng): where the packets lie, and when they came."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtp.section import CaptureError, Section

MAGIC: Final = b"\x0a\x0d\x0d\x0a"
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER: Final = 0x1A2B3C4D
_LEAST_BLOCK: Final = 12
_END, _RESOLUTION, _OFFSET = 0, 9, 14
NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Interface:
    link: int
    units: int = 1_000_000
    """A second."""
    offset_s: int = 0

    def time_ns(self, stamp: int) -> int:
        return stamp * NS // self.units + self.offset_s * NS


@dataclass(slots=True)
class _Found:
    """Packets of one link type."""

    time_ns: list[int] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    captured: list[int] = field(default_factory=list)


def sections(data: NDArray[np.uint8]) -> list[Section]:
    """Read a file, one section for each link type.

    What lies behind a block that is cut off or makes no sense is not read: `lost_tail` of the first section.

    Raises:
        CaptureError: there is no packet of a known time in it.
    """
    found: dict[int, _Found] = {}
    interfaces: list[_Interface] = []
    order, end = "<", 0
    for kind, order, begin, size in _blocks(data.data):
        body = data.data[begin : begin + size]
        end = begin + size + 4
        if kind == _SECTION:
            interfaces = []
        elif kind == _INTERFACE:
            interfaces.append(_interface(body, order))
        elif kind == _PACKET:
            _add(found, interfaces, body, order, begin)
    if not found:
        raise CaptureError("there are no packets in this pcapng file")
    lost = [len(data) - end] + [0] * len(found)
    return [_section(data, own, link, tail) for (link, own), tail in zip(found.items(), lost, strict=False)]


def _section(data: NDArray[np.uint8], found: _Found, link: int, lost_tail: int) -> Section:
    time_ns, start, captured = (np.array(each, np.int64) for each in (found.time_ns, found.start, found.captured))
    return Section(data, time_ns, start, captured, link, lost_tail)


def _blocks(data: memoryview) -> Iterator[tuple[int, str, int, int]]:
    """Yield type, order of octets, offset and octets of the body of each whole block."""
    at, order = 0, "<"
    while at + _LEAST_BLOCK <= len(data):
        if bytes(data[at : at + 4]) == MAGIC:
            order = "<" if struct.unpack_from("<I", data, at + 8)[0] == _BYTE_ORDER else ">"
        kind, total = struct.unpack_from(f"{order}II", data, at)
        if total < _LEAST_BLOCK or total % 4 or at + total > len(data):
            return
        yield kind, order, at + 8, total - _LEAST_BLOCK
        at += total


def _interface(body: memoryview, order: str) -> _Interface:
    link = struct.unpack_from(f"{order}H", body)[0]
    units, offset_s, at = 1_000_000, 0, 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from(f"{order}HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if code == _END:
            break
        if code == _RESOLUTION and length == 1:
            units = 1 << (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == _OFFSET and length == 8:
            offset_s = struct.unpack(f"{order}q", value)[0]
        at += 4 + length + -length % 4
    return _Interface(link, units, offset_s)


def _add(found: dict[int, _Found], interfaces: list[_Interface], body: memoryview, order: str, begin: int) -> None:
    """Note an enhanced packet block; one of an interface that is not described is left out."""
    if len(body) < 20:
        return
    number, high, low, captured = struct.unpack_from(f"{order}IIII", body)
    if number >= len(interfaces) or captured > len(body) - 20:
        return
    interface = interfaces[number]
    own = found.setdefault(interface.link, _Found())
    own.time_ns.append(interface.time_ns(high << 32 | low))
    own.start.append(begin + 20)
    own.captured.append(captured)
