"""The requests of clients: what becomes of each, and its answer, which goes when the keeper has all that it changes.

What needs no port is answered at once, so that a re-INVITE 2 ms after another finds that one answered.
"""

import asyncio
import time
from collections.abc import Coroutine

import structlog

from srs.capture import answers, checkpoint
from srs.capture.admission import Refusal
from srs.capture.call import Answered, Call
from srs.capture.custody import Custody
from srs.capture.liveness import Liveness
from srs.capture.refusals import Refusals
from srs.capture.sessions import Asked, Offered, Sessions, Starting
from srs.config import Settings
from srs.sip.address import host_port
from srs.sip.dialog import Dialog
from srs.sip.endpoint import Endpoint
from srs.sip.errors import SipError
from srs.sip.events import RequestReceived
from srs.sip.message import Request, Response
from srs.sip.session_timer import negotiate
from srs.sip.transport import SipServer
from srs.siprec.sdp import Sdp
from srs.tasks import spawn

log = structlog.get_logger()


class Requests:
    """Has sessions begun, changed and ended, and answers."""

    def __init__(
        self,
        settings: Settings,
        endpoint: Endpoint,
        server: SipServer,
        sessions: Sessions,
        custody: Custody,
        refusals: Refusals,
    ) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._server = server
        self._sessions = sessions
        self._custody = custody
        self._refusals = refusals
        self._loop = asyncio.get_running_loop()
        self.answering: set[asyncio.Task[None]] = set()
        """What waits for ports."""

    def take(self, event: RequestReceived, now_ns: int) -> None:
        """Answer a request, at once or when its ports are bound."""
        request = event.request
        try:
            if request.method == "BYE" and self._sessions.get(request.call_id) is None:
                self._respond(event, self._ok(event))  # again, to a successor of the process that answered it
            elif request.method == "OPTIONS":
                self._respond(event, self._ok(event))
            elif request.method == "INVITE" and event.dialog is None:
                self._start(event, now_ns)
            elif (call := self._sessions.get(request.call_id)) is None:
                raise Refusal(481, "no such recording session")
            else:
                self._sessions.note(request, event.data, event.flow, now_ns, sent=False)
                self._in_dialog(event, call)
        except (Refusal, SipError) as refusal:
            self._refuse(event, refusal)

    def _answer_later(self, answering: Coroutine[object, object, None], request: Request) -> None:
        task = spawn(answering, f"{request.method} {request.call_id}")
        self.answering.add(task)
        task.add_done_callback(self.answering.discard)

    def _start(self, event: RequestReceived, now_ns: int) -> None:
        """A new recording session. When this returns, the keeper has the INVITE, or it is refused."""
        negotiate(event.request)
        names = self._server.peer_names(event.flow)
        starting = self._sessions.start(event.request, event.data, event.flow, now_ns, names)
        if starting.asked is None:
            self._accept(event, starting)
        else:
            self._answer_later(self._accept_later(event, starting, starting.asked), event.request)

    async def _accept_later(self, event: RequestReceived, starting: Starting, asked: Asked) -> None:
        try:
            await self._sessions.bound(starting.call, asked)
            self._accept(event, starting)
        except Refusal as refusal:
            self._sessions.discard(starting.call)
            self._refuse(event, refusal)

    def _accept(self, event: RequestReceived, starting: Starting) -> None:
        agreed = self._sessions.accept(starting)
        if self._respond(event, self._ok(event, agreed)) is None:  # taken back while ports were bound
            self._sessions.discard(starting.call)
        else:
            self._loop.call_soon(self._sessions.began, starting.call)  # the 200 goes first

    def _in_dialog(self, event: RequestReceived, call: Call) -> None:
        match event.request.method:
            case "INVITE" | "UPDATE":
                self._change(event, call)
            case "BYE":
                self._respond(event, self._ok(event))
                spawn(self._sessions.end(call), f"end {call.call_id}")
            case _:
                self._respond(event, self._ok(event))

    def _change(self, event: RequestReceived, call: Call) -> None:
        negotiate(event.request)
        offered = self._sessions.offered(call, event.request)
        if offered.sdp is None:  # metadata alone, or a session refresh; an INVITE without an offer wants ours
            self._respond(event, self._ok(event, call.answer if event.request.method == "INVITE" else None))  # §14.2
            return
        asked = self._sessions.bind(call, offered.missing, event.data, event.flow) if offered.missing else None
        if asked is None:
            self._agree(event, call, offered)
        else:
            self._answer_later(self._agree_later(event, call, offered, asked), event.request)

    async def _agree_later(self, event: RequestReceived, call: Call, offered: Offered, asked: Asked) -> None:
        try:
            await self._sessions.bound(call, asked)
            self._agree(event, call, offered)
        except Refusal as refusal:
            self._refuse(event, refusal)

    def _agree(self, event: RequestReceived, call: Call, offered: Offered) -> None:
        """Answer an offer within a session, whose ports are bound."""
        assert offered.sdp is not None
        if offered.missing:
            self._sessions.capture(call)
        self._respond(event, self._ok(event, self._sessions.answer(call, offered.sdp)))

    def _respond(self, event: RequestReceived, response: Response) -> Dialog | None:
        """Answer, but first leave with the keeper what a successor of this process needs."""
        dialog = self._endpoint.respond(event.transaction, response, self._loop.time())
        call = self._sessions.get(event.request.call_id)
        if response.code == 200 and event.request.method in ("INVITE", "UPDATE"):
            self._agreed(event.request)
        if call is not None and (response.code < 300 or event.dialog is not None):
            self._save(call, event, dialog)
        self._server.flush()
        return dialog

    def _agreed(self, request: Request) -> None:
        if call := self._sessions.get(request.call_id):
            now = self._loop.time()
            call.liveness = (call.liveness or Liveness(now, now)).agreed(negotiate(request), now)

    def _save(self, call: Call, event: RequestReceived, made: Dialog | None) -> None:
        """Checkpoint a call after an answer; `made`: the dialog, if that was a 2xx to an INVITE."""
        self._sessions.scribe.settle(call)
        time_ns = time.time_ns() if event.dialog else call.since_ns  # before all that comes of the session
        answered = Answered(event.data, event.flow, event.transaction.data, time_ns)
        if made is not None:
            call.dialog = made.id
            call.accepted = answered
        dialog = made or event.dialog
        if dialog is None or dialog.id != call.dialog:
            return
        if event.request.method == "BYE":
            bye = checkpoint.answered(answered)
            self._custody.ended(call.recording, bye)
            held = bye is not None
        else:
            state = checkpoint.dump(call, dialog)
            held = (
                self._custody.checkpoint(call.recording, state) and made is not None and state["accepted"] is not None
            )
        if held:
            call.entrusted = answered.ok

    def _ok(self, event: RequestReceived, answer: Sdp | None = None) -> Response:
        return answers.ok(event.request, event.flow, self._settings.sip.advertise, answer)

    def _refuse(self, event: RequestReceived, refusal: Refusal | SipError) -> None:
        request = event.request
        if request.method == "INVITE" and event.dialog is None:
            self._sessions.counts.refuse(refusal.status)
            source = host_port(event.flow.remote)
            self._refusals.note(
                event.data, source, event.flow.transport, refusal.status, refusal.reason, time.time_ns()
            )
        log.warning(
            "refused",
            method=request.method,
            call_id=request.call_id,
            source=event.flow.remote[0],
            status=refusal.status,
            reason=refusal.reason,
        )
        self._respond(event, answers.refusal(request, refusal))
