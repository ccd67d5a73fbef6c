"""What the start of a capture tells, before it is finalised: who is calling whom."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from srs.sip.errors import SipError
from srs.sip.message import Request, Response, parse
from srs.siprec import session as reducer

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
    session_id: str | None = None
    """Of the communication session, as the metadata say."""
    legs: tuple[tuple[str | None, str | None, str | None], ...] = ()
    """Label, address and name of each party, in channel order."""
    events: tuple[tuple[float, str], ...] = ()
    """(seconds since our 200, what the recorder noted)."""


def head(capture: Path) -> Head:
    """Read the start of a capture, and of that only what is easy; a file that is none has a time all the same."""
    with capture.open("rb") as file:
        modified = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
        data = file.read(_HEAD_OCTETS)
    datagrams = list(_datagrams(data))
    started_at = datetime.fromtimestamp(datagrams[0][0] / 1e9, UTC) if datagrams else modified
    messages = [(time_ns, message) for time_ns, payload in datagrams if (message := _message(payload))]
    return _of_messages(messages, started_at)


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


def _message(payload: bytes) -> Request | Response | None:
    if not payload.startswith((b"INVITE ", b"SIP/2.0 ", b"INFO ")):
        return None
    try:
        return parse(payload)
    except SipError:
        return None


def _of_messages(messages: list[tuple[int, Request | Response]], started_at: datetime) -> Head:
    """What the first INVITE and what follows it say."""
    call_id = next((message.call_id for _, message in messages if message.cseq.method == "INVITE"), None)
    if call_id is None:
        return Head(started_at)
    session = reducer.new(call_id)
    for time_ns, message in messages:
        session = reducer.apply(session, message, time_ns)
    legs = tuple((stream.label, *party) for stream, party in reducer.parties(session).items())
    sessions = session.metadata.sessions if session.metadata else ()
    start_ns = session.started_ns or 0
    events = tuple((max(time_ns - start_ns, 0) / 1e9, event) for time_ns, event in session.events)
    return Head(started_at, call_id, sessions[0].id if sessions else None, legs, events)
