"""The recording sessions under way, and what is answered to the requests of their dialogs.

A call is accepted when it can be kept: the port pairs are bound, and the capture file has the INVITE, or is being made
on a disk that has just taken another. Only then the 200 goes out. What comes waits in the sockets until the file is
there.
"""

import asyncio
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import structlog

from srs.capture import checkpoint, folder, keys, peers, security
from srs.capture.admission import RETRY_AFTER_S, Admission, Refusal
from srs.capture.call import Call, new_call
from srs.capture.custody import Custody
from srs.capture.health import Health
from srs.capture.peers import Caller
from srs.capture.scribe import Scribe
from srs.config import Settings
from srs.sip.digest import Digest
from srs.sip.flow import Flow
from srs.sip.message import Request, Response
from srs.siprec import body as bodies
from srs.siprec import headers
from srs.siprec.answer import NotAcceptable, answer, offer
from srs.siprec.body import Body, UnsupportedPart
from srs.siprec.headers import Side
from srs.siprec.sdes import is_secure
from srs.siprec.sdp import MediaLine, Sdp, SdpError
from srs.siprec.sdp import parse as parse_sdp

log = structlog.get_logger()

OUR_LINES = (0, 1)
"""m-lines that we offer to a client that wants our offer."""
MOST_LINES = 32
"""m-lines of one recording session that get ports."""
LINGER_S = 0.3
"""RTP under way when BYE comes is still captured (some clients send on for 0.2 s)."""

REWRITE_S = 1.0
"""Pause before the disk is tried again that did not take the end of a call."""


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer within a session."""

    sdp: Sdp | None
    """None: the request has none."""
    missing: list[int]
    """Its m-lines that need ports before it can be answered."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The keeper was asked for port pairs."""

    lines: list[int]
    """m-lines that they are for; others of the session may be on their way."""
    ports: asyncio.Future[list[int]]


@dataclass(frozen=True, slots=True)
class Starting:
    """A session that waits for its ports, if it must."""

    call: Call
    offer: Sdp | None
    """None: the client wants ours."""
    asked: Asked | None


@dataclass
class Counts:
    """What became of INVITEs that would begin a call, since the process began."""

    recorded: int = 0
    refused: dict[int, int] = field(default_factory=dict)
    """By status."""

    def refuse(self, status: int) -> None:
        self.refused[status] = self.refused.get(status, 0) + 1


class Sessions:
    """Answers what the dialogs ask; what cannot be done raises Refusal with the status to send."""

    def __init__(self, settings: Settings, custody: Custody, health: Health) -> None:
        self._settings = settings
        self._custody = custody
        self._health = health
        self.scribe = Scribe(custody, health)
        self._admission = Admission(settings, health)
        self._digest = Digest("siprec-srs", secrets.token_bytes(32))
        self.counts = Counts()
        self._calls: dict[str, Call] = {}
        self.draining = False
        self.ended_before: set[str] = set()
        """Call-IDs of sessions that a predecessor saw end; their INVITEs may come again."""
        self.idle = asyncio.Event()
        self.idle.set()

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._calls.values()))

    def get(self, call_id: str) -> Call | None:
        return self._calls.get(call_id)

    def note(self, message: Request | Response, data: bytes, flow: Flow, time_ns: int, *, sent: bool) -> None:
        """Keep a message in the capture of its session, if it is of one."""
        if call := self.get(message.call_id):
            self.scribe.note(call, message, data, flow, time_ns, sent=sent)

    # Answers

    def start(self, request: Request, data: bytes, flow: Flow, time_ns: int, names: tuple[str, ...] = ()) -> Starting:
        """Begin a recording session for a first INVITE: its capture is being made, and its ports taken or asked for.

        Args:
            names: those in the client's certificate.

        Raises:
            Refusal: why it cannot be taken.
            SipError: likewise, with headers: a password is wanted.
        """
        if self.draining:
            raise Refusal(503, "shutting down", RETRY_AFTER_S)
        self._admission.check(flow.remote[0], len(self._calls), time.monotonic())
        caller = Caller(flow.remote[0], flow.transport, names, request.from_address.uri)
        peer = peers.find(self._settings.peer, caller)
        peers.check(peer, caller, request, self._digest, time.monotonic())
        body = _body(request)
        if not peers.recognises(peer, request, body):
            strict = f": [[peer]] {peer.name} is strict" if peer.recognition == "strict" else ""
            raise Refusal(403, f"only recording sessions (RFC 7866) are taken here{strict}")
        offered = _offered(body)
        srtp = security.policy(peer, flow.transport)
        security.check(srtp, offered)
        if self.get(request.call_id) or request.call_id in self.ended_before:
            raise Refusal(482, "a session with this Call-ID is under way, or was")
        call = self._open(request, flow, time_ns)
        call.video, call.srtp = peer.video, srtp
        call.note(request, data, flow, time_ns, sent=False)
        if note := peers.note(peer):
            call.remark(note)
        self.scribe.begin(call, self._begun)  # while the answer is made
        lines = self._missing(call, offered) if offered else list(OUR_LINES)
        return Starting(call, offered, self.bind(call, lines, data, flow))

    def accept(self, starting: Starting) -> Sdp:
        """What goes into the 200 of a session whose ports are bound.

        Raises:
            Refusal: nothing in the offer can be recorded, or the disk does not take the INVITE; the session is gone.
        """
        call = starting.call
        try:
            if starting.offer is not None:
                agreed = self.answer(call, starting.offer)
            else:
                ports = [call.ports[line] for line in OUR_LINES]
                agreed = call.answer = offer(ports, address=self._told(call), session_id=call.session_id)
            if not self.scribe.is_trusted:
                self.capture(call)
        except Refusal:
            self.discard(call)
            raise
        return agreed

    def began(self, call: Call) -> None:
        """Its 200 has gone out."""
        self.counts.recorded += 1
        log.info(
            "recording", recording=call.recording, call_id=call.call_id, source=call.flow.remote[0], ports=call.ports
        )

    def offered(self, call: Call, request: Request) -> Offered:
        """What a re-INVITE or UPDATE of a session asks for.

        Raises:
            Refusal: why it cannot be; the session goes on as it was.
        """
        offer_ = _offered(_body(request))
        if offer_:
            security.check(call.srtp, offer_)
        return Offered(offer_, self._missing(call, offer_) if offer_ else [])

    def adopt(self, call: Call) -> None:
        """Go on with a call of another process, of which the keeper may not have heard that its capture is made."""
        self._calls[call.call_id] = call
        self.idle.clear()
        if call.is_begun:
            self._captured(call)
        else:
            self.scribe.begin(call, self._begun)

    def bind(self, call: Call, lines: list[int], data: bytes, flow: Flow) -> Asked | None:
        """Get port pairs for m-lines of a session, as an INVITE wants it.

        Returns:
            None: it has them. Else `bound` waits for them.
        """
        missing = [line for line in lines if line not in call.asked]
        since_ns = time.time_ns() if call.ports else call.since_ns  # nobody has been told of new ports yet
        own = (call.recording, call.call_id, call.address, since_ns, len(missing))
        ports = self._custody.take(*own) if call.asked == call.ports.keys() else None  # else some are on their way
        call.asked.update(missing)
        if ports is not None:
            call.ports.update(zip(missing, ports, strict=True))
            return None
        return Asked(missing, self._custody.bind(*own, checkpoint.received(data, flow)))

    async def bound(self, call: Call, asked: Asked) -> None:
        """Wait until the ports are bound, and those asked for before.

        Raises:
            Refusal: there are none.
        """
        try:
            call.ports.update(zip(asked.lines, await asked.ports, strict=True))
        except Refusal:
            call.asked.difference_update(asked.lines)
            raise

    def capture(self, call: Call) -> None:
        """Have captured what comes to the ports that are bound.

        Raises:
            Refusal: the disk does not take the INVITE.
        """
        try:
            self.scribe.ensure_begun(call)
        except OSError as error:
            raise self._not_written(error) from error
        self._captured(call)

    def _begun(self, call: Call, taken: bool) -> None:
        """Its file is made, or not: then it is tried again as long as the call lasts."""
        if self._calls.get(call.call_id) is not call or call.is_captured:
            return
        if taken:
            self._captured(call)
        else:
            asyncio.get_running_loop().call_later(REWRITE_S, self.scribe.begin, call, self._begun)

    def _captured(self, call: Call) -> None:
        call.is_captured = True
        self._custody.capture(call.recording)

    def answer(self, call: Call, offered: Sdp) -> Sdp:
        """Our answer to an offer, for whose lines the ports are bound.

        Raises:
            Refusal: nothing in it can be recorded.
        """
        before = call.answer
        try:
            call.answer = answer(
                offered, call.ports, address=self._told(call), session_id=call.session_id, previous=before
            )
        except NotAcceptable as error:
            raise Refusal(488, str(error)) from error
        if any(map(is_secure, [*offered.media, *(before.media if before else ())])):
            self._custody.protect(call.recording, keys.dump(offered, call.answer))
        return call.answer

    def _missing(self, call: Call, offered: Sdp) -> list[int]:
        wanted = [index for index, line in enumerate(offered.media) if _wants_port(line, call)]
        lines = [index for index in wanted if index not in call.ports]
        return lines[: MOST_LINES - len(call.ports)]

    def _open(self, request: Request, flow: Flow, time_ns: int) -> Call:
        try:
            side = headers.side(request)
            recording = self._new_leg(side) if side else folder.new_id()
        except OSError as error:
            raise self._not_written(error) from error
        call = new_call(self._settings.data_dir, recording, request.call_id, self._media_address(flow), flow, time_ns)
        call.side = side
        self._calls[call.call_id] = call
        self.idle.clear()
        return call

    def _new_leg(self, side: Side) -> str:
        living = {each.recording: each.side for each in self if each.side}
        return folder.new_leg(self._settings.data_dir, side, living)

    def _not_written(self, error: OSError) -> Refusal:
        self._health.write_failed(f"{error.strerror}", time.monotonic())
        return Refusal(503, f"cannot record: {error.strerror}", RETRY_AFTER_S)

    def _told(self, call: Call) -> str:
        """The address in SDP; another than we bind where a network translates addresses."""
        return self._settings.sip.advertise or call.address

    def _media_address(self, flow: Flow) -> str:
        return self._settings.media.address or flow.local[0]

    # Ends

    def discard(self, call: Call) -> None:
        """A call that was refused, or taken back before its 200, leaves nothing behind."""
        if self._calls.get(call.call_id) is not call:
            return
        self._forget(call)
        self.scribe.discard(call)
        self._custody.close(call.recording)

    async def end(self, call: Call) -> None:
        """The dialog is over: let what is under way arrive, then hand the capture to the archive."""
        if self._calls.get(call.call_id) is not call:
            return
        self._forget(call)
        await asyncio.sleep(LINGER_S)
        await self._have_written(call)
        if not call.is_captured:
            self._captured(call)
        self.scribe.close(call)
        self._custody.close(call.recording)
        log.info("ended", recording=call.recording, call_id=call.call_id, reason=call.end_reason)

    async def _have_written(self, call: Call) -> None:
        """Wait until the disk takes all SIP of a call: without its end it would be taken for an interrupted one."""
        while True:
            try:
                return self.scribe.ensure_written(call)
            except OSError as error:
                self._health.write_failed(f"{error.strerror}", time.monotonic())
                if self.draining:
                    return None
                await asyncio.sleep(REWRITE_S)

    def _forget(self, call: Call) -> None:
        del self._calls[call.call_id]
        if not self._calls:
            self.idle.set()


def _wants_port(line: MediaLine, call: Call) -> bool:
    return line.port != 0 and (line.kind == "audio" or (call.video and line.kind in ("video", "text")))


def _body(request: Request) -> Body:
    try:
        return bodies.split(request.headers.get("Content-Type") or "", request.body)
    except UnsupportedPart as error:
        raise Refusal(415, str(error)) from error


def _offered(body: Body) -> Sdp | None:
    if body.sdp is None:
        return None
    try:
        return parse_sdp(body.sdp)
    except SdpError as error:
        raise Refusal(400, f"SDP: {error}") from error
