"""A capture that others made, of a mirror port say, taken apart into calls: each as a capture of our own form.

The SIP of a call is found by its Call-ID, over UDP and TCP, its RTP by the addresses in its session descriptions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import numpy as np

from rtp import pcap, reassembly, tcp
from rtp.datagrams import Datagrams
from rtp.ip import mapped
from rtp.reassembly import Datagram, Endpoint, Rest
from srs.archive.replay import START_LINE, candidates
from srs.sip.address import host_port
from srs.sip.errors import SipError
from srs.sip.framing import Framer
from srs.sip.message import Message, Request, make_request, parse
from srs.siprec import headers, mirrored, sdp
from srs.siprec.body import UnsupportedPart, split
from srs.siprec.sdp import SdpError
from srs.siprec.session import EVENT

AFTERMATH_NS: Final = 5_000_000_000
"""Media that come this much after the last message belong to the call, if it has no BYE as long as they come."""
_LONGEST_START: Final = 64 << 10
"""Octets in which a message must begin, of a connection that is seen from its middle on."""
Rows = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Sip:
    """A message as it was seen."""

    datagram: Datagram
    message: Message


@dataclass(slots=True)
class Call:
    """One dialog."""

    call_id: str
    sip: list[Sip] = field(default_factory=list)

    @property
    def invite(self) -> Request | None:
        """The first."""
        found = (each.message for each in self.sip if isinstance(each.message, Request))
        return next((each for each in found if each.method == "INVITE"), None)

    @property
    def is_recorded(self) -> bool:
        """Whether it is a recording session, not the call itself."""
        invite = self.invite
        if invite is None:
            return False
        kind = invite.headers.get("Content-Type") or ""
        return headers.asks_for_recording(invite) or "multipart" in kind.lower()

    def ended(self) -> bool:
        return any(isinstance(each.message, Request) and each.message.method == "BYE" for each in self.sip)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a capture came to."""

    calls: list[Call]
    datagrams: Datagrams
    rest: Rest
    unreadable: int
    """Datagrams and connections that begin like SIP and are not."""

    def left_over(self) -> list[str]:
        """What could not be used, in words."""
        counts = {
            "datagrams or connections begin like SIP and cannot be read": self.unreadable,
            "IP packets are not whole: fragments are missing": self.rest.incomplete,
            "octets at the end form no whole record": self.datagrams.lost_tail,
            "UDP datagrams belong to no call": self._unclaimed(),
        }
        return [f"{count} {what}" for what, count in counts.items() if count]

    def _unclaimed(self) -> int:
        """Return how many datagrams are no SIP and media of no call."""
        claimed = np.zeros(len(self.datagrams), bool)
        claimed[candidates(self.datagrams)] = True
        for call in self.calls:
            claimed[_media_rows(self, call)] = True
        return int((~claimed).sum())


def take_apart(path: Path) -> Taken:
    """Find the calls in a capture, in order of their first message.

    Raises:
        CaptureError: it is none.
        OSError: it cannot be opened.
    """
    datagrams, rest = pcap.read(path), reassembly.put_together(pcap.sections(path))
    whole, unreadable = _over_udp(datagrams, rest.datagrams)
    streamed, broken = _over_tcp(rest)
    calls: dict[str, Call] = {}
    for each in sorted([*whole, *streamed], key=lambda item: item.datagram.time_ns):
        calls.setdefault(each.message.call_id, Call(each.message.call_id)).sip.append(each)
    found = [call for call in calls.values() if call.invite is not None]
    return Taken(found, datagrams, rest, unreadable + broken)


def write(taken: Taken, call: Call, target: Path) -> None:
    """Write the SIP and the media of a call as a capture of our own form."""
    rows = _media_rows(taken, call)
    media = [_datagram(taken.datagrams, row) for row in rows.tolist()]
    everything = sorted([*(each.datagram for each in call.sip), *media], key=lambda each: each.time_ns)
    if not call.is_recorded:
        everything.append(_note(call, everything[-1].time_ns))
    with target.open("wb") as file:
        file.write(pcap.HEADER)
        for each in everything:
            file.write(pcap.record(each.payload, each.source, each.destination, each.time_ns))


def _over_udp(datagrams: Datagrams, joined: list[Datagram]) -> tuple[list[Sip], int]:
    sip, unreadable = [], 0
    for datagram in [*(_datagram(datagrams, row) for row in candidates(datagrams)), *joined]:
        message = _message(datagram.payload)
        if message is not None:
            sip.append(Sip(datagram, message))
        elif START_LINE.match(datagram.payload):
            unreadable += 1
    return sip, unreadable


def _over_tcp(rest: Rest) -> tuple[list[Sip], int]:
    sip: list[Sip] = []
    broken = 0
    for flow in tcp.flows(rest.segments):
        stream = _Stream()
        for index, (time_ns, octets) in enumerate(flow.chunks):
            if index in flow.breaks:
                stream = _Stream()
            frames = stream.feed(octets)
            datagrams = (Datagram(time_ns, flow.source, flow.destination, frame) for frame in frames)
            sip += [Sip(each, message) for each in datagrams if (message := _message(each.payload))]
        broken += stream.broken
    return sip, broken


class _Stream:
    """The octets of a connection, from where they begin like SIP."""

    def __init__(self) -> None:
        self._head = b""
        self._framer: Framer | None = None
        self.broken = False

    def feed(self, octets: bytes) -> list[bytes]:
        """Return the messages that are complete with `octets`."""
        if self._framer is None:
            self._head = (self._head + octets)[-_LONGEST_START:]
            if not START_LINE.match(self._head):
                return []
            octets, self._framer = self._head, Framer()
        try:
            return [] if self.broken else list(self._framer.feed(octets))
        except SipError:
            self.broken = True
            return []


def _message(payload: bytes) -> Message | None:
    if not START_LINE.match(payload):
        return None
    try:
        return parse(payload)
    except SipError:
        return None


def _datagram(datagrams: Datagrams, row: int) -> Datagram:
    source = _address(datagrams.source[row].tobytes()), int(datagrams.source_port[row])
    destination = _address(datagrams.destination[row].tobytes()), int(datagrams.destination_port[row])
    return Datagram(int(datagrams.time_ns[row]), source, destination, datagrams.payload(row))


def _address(octets: bytes) -> str:
    address = ip_address(octets)
    plain = getattr(address, "ipv4_mapped", None)
    return str(plain or address)


def _media_rows(taken: Taken, call: Call) -> Rows:
    """Return the datagrams to the addresses that the call names, in its time: RTP, and RTCP one port above."""
    datagrams = taken.datagrams
    first_ns, last_ns = call.sip[0].datagram.time_ns, call.sip[-1].datagram.time_ns
    until_ns = last_ns + AFTERMATH_NS if call.ended() else _next_use(taken, call)
    within = (datagrams.time_ns >= first_ns) & (datagrams.time_ns <= until_ns)
    chosen = np.zeros(len(datagrams), bool)
    for address, port in _media(call):
        to_port = within & np.isin(datagrams.destination_port, (port, port + 1))
        exact = to_port & (datagrams.destination == np.frombuffer(mapped(address), np.uint8)).all(axis=1)
        chosen |= exact if exact.any() else to_port
    return np.flatnonzero(chosen)


def _next_use(taken: Taken, call: Call) -> int:
    """Return when another call names one of the same addresses; that of a call without end goes on until then."""
    own, last_ns = _media(call), call.sip[-1].datagram.time_ns
    later = [other.sip[0].datagram.time_ns for other in taken.calls if other is not call and own & _media(other)]
    return min((begin for begin in later if begin > last_ns), default=np.iinfo(np.int64).max)


def _media(call: Call) -> set[Endpoint]:
    """Return where audio of the call is received, as its messages say."""
    return {endpoint for each in call.sip for endpoint in _endpoints(each.message)}


def _endpoints(message: Message) -> Iterator[Endpoint]:
    try:
        body = split(message.headers.get("Content-Type") or "", message.body)
        lines = sdp.parse(body.sdp).media if body.sdp is not None else ()
    except (UnsupportedPart, SdpError):
        return
    for line in lines:
        if line.kind == "audio" and line.port and line.address:
            try:
                yield str(ip_address(line.address)), line.port
            except ValueError:  # a name
                continue


def _note(call: Call, time_ns: int) -> Datagram:
    """Return the note that the capture is one of an ordinary call, as an INFO of the callee."""
    invite = call.invite
    assert invite is not None
    known = call.sip[0].datagram
    fields = [
        ("Via", f"SIP/2.0/UDP {host_port(known.destination)};branch=z9hG4bK-{mirrored.NOTE}"),
        ("From", f"<{invite.to_address.uri}>;tag={mirrored.NOTE}"),
        ("To", f"<{invite.from_address.uri}>;tag={invite.from_address.tag or ''}"),
        ("Call-ID", call.call_id),
        ("CSeq", "1 INFO"),
        (EVENT, mirrored.NOTE),
    ]
    return Datagram(time_ns, known.destination, known.source, bytes(make_request("INFO", invite.uri, fields)))
