"""The folder of captures, seen from the archive: what waits in it, and what the start of a capture tells."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_HEAD_OCTETS: Final = 1 << 17
_MAGIC: Final = struct.pack("<I", 0xA1B23C4D)  # nanosecond pcap, as the recorder writes it
_RAW: Final = 101  # LINKTYPE_RAW
_IP_HEADER: Final = {4: 20, 6: 40}


@dataclass(frozen=True, slots=True)
class Head:
    """What the first messages of a capture tell."""

    started_at: datetime
    """Of the first packet; of the file where there is none."""
    call_id: str | None = None


def waiting(data_dir: Path, folder: str) -> list[Path]:
    """The captures in one of the folders, oldest first."""
    found = []
    for path in (data_dir / "captures" / folder).glob("*.pcap"):
        try:
            found.append((path.stat().st_mtime_ns, path))
        except FileNotFoundError:  # finished in the meantime
            continue
    return [path for _, path in sorted(found)]


def move(data_dir: Path, capture: Path, folder: str) -> None:
    """Put a capture into another folder."""
    target = data_dir / "captures" / folder / capture.name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    capture.replace(target)


def remove(data_dir: Path, recording: str) -> None:
    """Remove what the archive set aside of a recording."""
    for folder in ("kept", "failed"):
        (data_dir / "captures" / folder / f"{recording}.pcap").unlink(missing_ok=True)


def head(capture: Path) -> Head:
    """Read the start of a capture, and of that only what is easy; a file that is none has a time all the same."""
    with capture.open("rb") as file:
        modified = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
        data = file.read(_HEAD_OCTETS)
    first: datetime | None = None
    for time_ns, payload in _datagrams(data):
        first = first or datetime.fromtimestamp(time_ns / 1e9, UTC)
        if payload.startswith(b"INVITE "):
            return _of_invite(payload, first)
    return Head(first or modified)


def _datagrams(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Time and payload of the whole UDP datagrams that the recorder's own format has."""
    if data[:4] != _MAGIC or len(data) < 24 or struct.unpack_from("<I", data, 20)[0] != _RAW:
        return
    position = 24
    while position + 16 <= len(data):
        seconds, nanoseconds, length = struct.unpack_from("<III", data, position)
        packet = data[position + 16 : position + 16 + length]
        position += 16 + length
        if len(packet) == length and length and (ip := _IP_HEADER.get(packet[0] >> 4)):
            yield seconds * 1_000_000_000 + nanoseconds, packet[ip + 8 :]


def _of_invite(data: bytes, started_at: datetime) -> Head:
    from srs.sip.errors import SipError  # here, not above: 30 ms that a list without running calls does not need
    from srs.sip.message import parse

    try:
        message = parse(data)
    except SipError:
        return Head(started_at)
    return Head(started_at, message.call_id)
