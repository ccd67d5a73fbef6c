"""Capture files (libpcap format): what the recorder appends to its own, and what is in anybody's.

The recorder writes nanosecond captures of LINKTYPE_RAW: each record an IP packet. `rtp.receive` appends what comes over
RTP ports, `record` gives what came or went otherwise.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtp import ip, pcapng
from rtp.datagrams import LINK_TYPES, RAW, Datagrams, find, merged
from rtp.records import boundaries, rows
from rtp.resync import is_torn, whole_records
from rtp.section import CaptureError, Section

__all__ = ["HEADER", "SNAPLEN", "CaptureError", "Datagrams", "is_own", "read", "record", "sections"]

SNAPLEN: Final = 1 << 18
"""The longest record that readers in general take."""
_NANOSECONDS: Final = 0xA1B23C4D
_UNITS: Final = {_NANOSECONDS: 1, 0xA1B2C3D4: 1000}
"""Magic number to nanoseconds of a time stamp's fraction."""
_UDP_SIZE: Final = ip.UDP.itemsize

HEADER: Final = struct.pack("<IHHiIII", _NANOSECONDS, 2, 4, 0, 0, SNAPLEN, RAW)
"""What a capture file begins with."""


def record(payload: bytes, source: tuple[str, int], destination: tuple[str, int], time_ns: int) -> bytes:
    """Return one datagram as a record of a capture that begins with `HEADER`.

    It is an IPv4 packet if both addresses are, and it fits; else an IPv6 one with IPv4-mapped addresses. What came over
    TCP may be longer than any datagram: it is a jumbogram (RFC 2675), cut only beyond `SNAPLEN`.

    Args:
        source, destination: address and port.
        time_ns: UTC.

    Raises:
        OSError: no IP address.
    """
    four = len(ip.pack(source[0])) == len(ip.pack(destination[0])) == 4
    fits = ip.IPV4.itemsize + _UDP_SIZE + len(payload) <= 0xFFFF
    packet = (_ipv4 if four and fits else _ipv6)(payload, source, destination)
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    return struct.pack("<IIII", seconds, nanoseconds, min(len(packet), SNAPLEN), len(packet)) + packet[:SNAPLEN]


def _ipv4(payload: bytes, source: tuple[str, int], destination: tuple[str, int]) -> bytes:
    size = _UDP_SIZE + len(payload)
    addresses = ip.pack(source[0]) + ip.pack(destination[0])
    start = struct.pack("!BBHHHBB", 0x45, 0, ip.IPV4.itemsize + size, 0, 0, ip.TTL, ip.PROTOCOL_UDP)
    header = start + struct.pack("!H", ip.checksum(start + addresses)) + addresses
    return header + struct.pack("!HHHH", source[1], destination[1], size, 0) + payload


def _ipv6(payload: bytes, source: tuple[str, int], destination: tuple[str, int]) -> bytes:
    size = _UDP_SIZE + len(payload)
    told = size if size <= 0xFFFF else 0
    addresses = ip.mapped(source[0]) + ip.mapped(destination[0])
    pseudo = addresses + struct.pack("!II", size, ip.PROTOCOL_UDP)
    ports = struct.pack("!HHH", source[1], destination[1], told)
    checksum = ip.checksum(pseudo + struct.pack("!HHH", source[1], destination[1], size & 0xFFFF) + payload)
    header = struct.pack("!IHBB", 6 << 28, told, ip.PROTOCOL_UDP, ip.TTL) + addresses
    return header + ports + struct.pack("!H", checksum) + payload


def read(path: Path) -> Datagrams:
    """Read the UDP datagrams of a capture that are whole; see `sections`.

    Raises:
        CaptureError: it is no such file.
        OSError: it cannot be opened.
    """
    found = sections(path)
    columns = ((each.data, each.time_ns, each.start, each.captured, each.link) for each in found)
    return merged([find(*own, lost_tail=each.lost_tail) for own, each in zip(columns, found, strict=True)])


def sections(path: Path) -> list[Section]:
    """Read a capture, pcapng or pcap of µs or ns in either byte order: its packets, one section for each link type.

    What lies behind a record that is cut off or makes no sense is not read: `lost_tail` says how much that is. Of a
    capture such as the recorder writes only torn records are not read.

    Raises:
        CaptureError: it is no such file.
        OSError: it cannot be opened.
    """
    data = _map(path)
    if data[: len(pcapng.MAGIC)].tobytes() == pcapng.MAGIC:
        found = pcapng.sections(data)
        for each in found:
            _known(path, each.link)
        return found
    form = _form(path, data[: len(HEADER)].tobytes())
    at, end = boundaries(data, len(HEADER), form.order)
    lost = len(data) - end
    if lost and form == _OURS:
        at, lost = whole_records(data, len(HEADER))
    return [_section(data, at, form, lost)]


def growing(data: NDArray[np.uint8]) -> tuple[Datagrams, int]:
    """Read a piece of a capture that the recorder is writing, from the beginning of a record on.

    Returns:
        Its datagrams, and the octets up to the end of the last whole record: what is behind is still to come.
    """
    at, end = boundaries(data, 0, _OURS.order)
    if is_torn(data, end):  # whoever wrote it died, and another went on
        at, _ = whole_records(data, 0)
    found = _section(data, at, _OURS, 0)
    end = int(found.start[-1] + found.captured[-1]) if len(at) else 0
    return find(data, found.time_ns, found.start, found.captured, found.link, lost_tail=0), end


def _section(data: NDArray[np.uint8], at: NDArray[np.int64], form: "_Form", lost: int) -> Section:
    """Return the packets of the records that begin at `at`."""
    header = rows(data, at, _record_header(form.order))
    seconds, fraction = header["seconds"].astype(np.int64), header["fraction"].astype(np.int64)
    time_ns = seconds * 1_000_000_000 + fraction * form.unit_ns
    captured = header["captured"].astype(np.int64)
    return Section(data, time_ns, at + header.itemsize, captured, form.link, lost)


def is_own(path: Path) -> bool:
    """Tell whether a capture has the form in which the recorder writes them."""
    with path.open("rb") as file:
        return file.read(len(HEADER)) == HEADER


def _map(path: Path) -> NDArray[np.uint8]:
    with path.open("rb") as file:
        if file.seek(0, 2) == 0:
            raise CaptureError(f"{path}: the file is empty")
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)


@dataclass(frozen=True, slots=True)
class _Form:
    order: str
    """Of the octets: "<" or ">"."""
    unit_ns: int
    link: int


_OURS: Final = _Form("<", 1, RAW)


def _form(path: Path, header: bytes) -> _Form:
    """Tell the form of a capture from its header."""
    if len(header) < len(HEADER):
        raise CaptureError(f"{path}: {len(header)} octets are no capture, its header alone has {len(HEADER)}")
    for order in "<>":
        magic, _, _, _, _, _, link = struct.unpack(f"{order}IHHiIII", header)
        if magic in _UNITS:
            return _Form(order, _UNITS[magic], _known(path, link & 0xFFFF))
    raise CaptureError(f"{path}: no capture, it begins with {header[:4].hex()}")


def _known(path: Path, link: int) -> int:
    if link not in LINK_TYPES:
        raise CaptureError(f"{path}: link type {link} is not read, only {', '.join(LINK_TYPES.values())}")
    return link


def _record_header(order: str) -> np.dtype[np.void]:
    return np.dtype([(name, f"{order}u4") for name in ("seconds", "fraction", "captured", "original")])
