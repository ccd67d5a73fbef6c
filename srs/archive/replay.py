"""The SIP of a capture, found by content and applied to a session once more."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from rtp.pcap import Datagrams
from srs.sip.message import Request, Response, SipError, parse
from srs.siprec import mirrored
from srs.siprec import session as reducer
from srs.siprec.session import Session

SHORTEST = 20
"""Octets; no start line with a header is shorter."""
MOST_HEADERS = 20
LONGEST_HEADER = 200
START_LINE = re.compile(rb"\s*(?:SIP/2\.0 +\d{3}|[A-Z]+ +\S[^\r\n]* SIP/2\.0\r?\n)", re.IGNORECASE)
_KERNEL_DROPS = re.compile(r"kernel-drops;port=(\d+);count=(\d+)")

Message = Request | Response


class NoSession(ValueError):
    """A capture holds no session that could be recorded; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What the SIP of a capture comes to."""

    session: Session
    first_ns: int
    last_ns: int
    """UTC, of the first and the last message of the session."""
    messages: int
    events: tuple[tuple[int, str], ...]
    """(UTC in nanoseconds, what the recorder noted of its own doings), also after the end of the session."""
    unreadable: int
    """Datagrams that begin like SIP and are not."""
    headers: tuple[tuple[str, str], ...] = ()
    """Those of the first INVITE that no RFC defines (`X-…`), names in lower case."""


def replay(datagrams: Datagrams) -> Replay:
    """Apply every message of the first dialog of a capture to a session, in order of time.

    Raises:
        NoSession: there is no SIP in it.
    """
    messages, unreadable = find_messages(datagrams)
    if not messages:
        raise NoSession("there is no SIP in the capture")
    call_id = _call_id([message for _, message in messages])
    own = [(time_ns, message) for time_ns, message in messages if message.call_id == call_id]
    session = reducer.new(call_id)
    for time_ns, message in own:
        session = reducer.apply(session, message, time_ns)
    noted = [(time_ns, event) for time_ns, message in own if (event := _event(message, session)) is not None]
    if any(event == mirrored.NOTE for _, event in noted):
        invites = (each for _, each in own if isinstance(each, Request) and each.method == "INVITE")
        session = mirrored.both_ways(session, next(invites))
    spoken = [time_ns for time_ns, message in own if _event(message, session) is None] or [own[0][0]]
    return Replay(session, spoken[0], spoken[-1], len(own), tuple(noted), unreadable, _own_headers(own[0][1]))


def kernel_drops(events: Iterable[tuple[int, str]]) -> dict[int, int]:
    """Return the datagrams that the kernel dropped, by local port; each note counts all since the port was opened."""
    drops: dict[int, int] = {}
    for _, event in events:
        if found := _KERNEL_DROPS.fullmatch(event):
            port, count = int(found[1]), int(found[2])
            drops[port] = max(drops.get(port, 0), count)
    return drops


def find_messages(datagrams: Datagrams) -> tuple[list[tuple[int, Message]], int]:
    """Return the SIP messages with their UTC in nanoseconds, in order of time; and how many could not be read."""
    found, unreadable = [], 0
    for row in candidates(datagrams):
        payload = datagrams.payload(row)
        if not START_LINE.match(payload):
            continue
        try:
            found.append((int(datagrams.time_ns[row]), parse(payload)))
        except SipError:
            unreadable += 1
    return sorted(found, key=lambda item: item[0]), unreadable


def candidates(datagrams: Datagrams) -> list[int]:
    """Return the datagrams that begin with a letter or an empty line: RTP begins with 128 to 191."""
    long = np.flatnonzero(datagrams.length >= SHORTEST)
    first = datagrams.data[datagrams.start[long]]
    letter = ((first | 0x20) >= ord("a")) & ((first | 0x20) <= ord("z"))
    rows: list[int] = long[letter | (first == ord("\r")) | (first == ord("\n"))].tolist()
    return rows


def _call_id(messages: list[Message]) -> str:
    """Return the dialog of the first INVITE; a capture that begins later has the dialog of its first message."""
    invites = (message for message in messages if message.cseq.method == "INVITE")
    return next(invites, messages[0]).call_id


def _own_headers(message: Message) -> tuple[tuple[str, str], ...]:
    """Return what a client says in headers of its own, the first few and of each the start."""
    names = [name for name in message.headers.keys() if name.lower().startswith("x-")]  # noqa: SIM118 - no mapping
    return tuple((name.lower(), message.headers[name][:LONGEST_HEADER]) for name in names[:MOST_HEADERS])


def _event(message: Message, session: Session) -> str | None:
    """Return what the recorder noted in a message; a client's header of that name is no note of ours."""
    if isinstance(message, Response) or message.from_address.tag == session.client_tag:
        return None
    return message.headers.get(reducer.EVENT)
