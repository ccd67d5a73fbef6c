"""The signalling process: carries messages between SIP server, keeper and `Sessions`, which decides."""

import argparse
import asyncio
import contextlib
import gc
import secrets
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import uvloop

from srs import telling
from srs.alarms import Alarms
from srs.capture import checkpoint, folder
from srs.capture.answers import SUPPORTED
from srs.capture.call import Call
from srs.capture.channel import Message
from srs.capture.custody import Custody
from srs.capture.descriptors import make_room
from srs.capture.health import SILENCE_S, Health
from srs.capture.liveness import Liveness, Move
from srs.capture.operators import Operators
from srs.capture.priority import prefer_recording
from srs.capture.quality import Limits
from srs.capture.refusals import Refusals
from srs.capture.requests import Requests
from srs.capture.sessions import Sessions
from srs.capture.silence import SilenceWatch
from srs.capture.storage import watch_disk
from srs.config import Settings, TlsSettings, load
from srs.log import configure
from srs.sip import message as sip
from srs.sip.address import ListenAddress, host_port
from srs.sip.dialog import Dialog
from srs.sip.endpoint import Endpoint
from srs.sip.events import (
    AckReceived,
    AckTimeout,
    Cancelled,
    Event,
    Rejected,
    RequestReceived,
    ResponseReceived,
    TransactionTimeout,
    TransportFailed,
)
from srs.sip.flow import Flow, Send
from srs.sip.message import Request, Response
from srs.sip.tls import Certificates, Identity, client_context
from srs.sip.transaction import Transaction
from srs.sip.transport import SipServer
from srs.tasks import spawn

if TYPE_CHECKING:
    from srs.capture.metrics import Collector

log = structlog.get_logger()

REMEMBER_S = 32.0
"""A BYE that is repeated so long after its answer is answered again (64·T1)."""
LEAVE_S = 5.0
LOOK_OFTEN = 1_000, 10, 1_000
"""For garbage: a little at a time, since calls wait meanwhile."""
WATCH_S = 5.0
"""How often it is looked whether clients are still there."""


class Signalling:
    """The application of the SIP server."""

    def __init__(self, settings: Settings, end: socket.socket) -> None:
        self._settings = settings
        self._custody = Custody(end, self._on_keeper)
        self._alarms = Alarms()
        self._health = Health(settings.admission.least_free, settings.admission.lag_s, self._alarms)
        limits = Limits(settings.alarms.no_audio_s, settings.alarms.one_way_s)
        self._silence = SilenceWatch(limits, self._alarms)
        self._refusals = Refusals(settings.data_dir)
        self._sessions = Sessions(settings, self._custody, self._health)
        self._operators = Operators(self._sessions, self._custody, self._hang_up)
        self._endpoint = Endpoint(token=lambda: secrets.token_hex(8), supported=frozenset(SUPPORTED))
        self._server = SipServer(self._endpoint, self._on_event, self._on_send, self._custody.drop)
        self._requests = Requests(settings, self._endpoint, self._server, self._sessions, self._custody, self._refusals)
        self._loop = asyncio.get_running_loop()
        self._disk_tried, self._listening, self._stopped = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._early: list[tuple[int, socket.socket]] = []
        """Connections that came before the disk was tried."""

    async def run(self) -> None:
        """Until the keeper says drain and the calls are over, or the keeper is gone."""
        stopped = spawn(self._stopped.wait(), "stop")
        spawn(watch_disk(self._health, folder.folder(self._settings.data_dir), self._disk_tried), "watch disk")
        spawn(self._watch(), "watch clients")
        self._tell()
        await asyncio.wait([stopped, self._custody.gone], return_when=asyncio.FIRST_COMPLETED)
        self._sessions.scribe.write_all()
        if not self._custody.leaving:
            await self._server.close()

    def _tell(self) -> None:
        def collector() -> "Collector":
            from srs.capture.metrics import Collector  # loads a library, for which no call is to wait

            sessions = self._sessions
            return Collector(self._health, sessions.counts, lambda: len(sessions), self._settings.data_dir)

        telling.tell(self._settings.data_dir, "signalling", lambda: collector().news())
        if self._settings.metrics.address is not None:
            collector().serve(self._settings.metrics.address)

    # From and to the keeper

    def _on_keeper(self, message: Message, descriptors: list[int]) -> None:
        match message["do"]:
            case "listen":
                spawn(self._listen([socket.socket(fileno=descriptor) for descriptor in descriptors]), "listen")
            case "connection":
                self._adopt(message["connection"], socket.socket(fileno=descriptors[0]))
            case "restore":
                self._restore(message["id"], message["state"])
            case "control":
                spawn(self._operators.serve(socket.socket(fileno=descriptors[0])), "orders")
            case "pauses":
                self._operators.on_pauses(message)
            case "again":
                spawn(self._again(*checkpoint.request(message)), "INVITE again")
            case "leave":
                spawn(self._leave(), "leave")
            case "drain":
                spawn(self._drain(message["limit_s"]), "drain")
            case "status":
                self._health.on_report(message["worker"], message, self._loop.time())
                self._silence.on_report(message["worker"], message["silent"], self._sessions, self._loop.time())

    def _adopt(self, connection: int, sock: socket.socket) -> None:
        if self._disk_tried.is_set():
            self._server.adopt(connection, sock)
        else:
            self._early.append((connection, sock))

    async def _until_disk_tried(self) -> None:
        """No call shall be refused because nobody has looked yet."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._disk_tried.wait(), SILENCE_S)
        self._disk_tried.set()

    async def _listen(self, sockets: list[socket.socket]) -> None:
        await self._until_disk_tried()
        for connection, sock in self._early:
            self._server.adopt(connection, sock)
        secure = {ListenAddress.parse(url).address for url in self._settings.sip.listen if url.startswith("tls:")}
        certificates = self._certificates(self._settings.tls)
        for listener in sockets:
            wanted = certificates if listener.getsockname()[:2] in secure else None
            await self._server.serve(listener, wanted.context if wanted else None)
        self._server.flush()
        self._listening.set()
        self._custody.ready()
        log.info("listening", addresses=self._settings.sip.listen)

    def _restore(self, recording: str, state: Message) -> None:
        """Go on with a session of a predecessor that died."""
        try:
            restored = checkpoint.restore(self._settings.data_dir, recording, state)
        except OSError as error:
            log.error("session lost", recording=recording, reason=str(error))
            self._custody.close(recording)
            return
        call, dialog, now = restored.call, restored.dialog, self._loop.time()
        call.liveness = Liveness(now, now, timer=restored.timer)
        self._sessions.adopt(call)
        if accepted := call.accepted:
            self._sessions.scribe.go_on(call, accepted)
            request, ok = sip.parse(accepted.request), sip.parse(accepted.ok)
            assert isinstance(request, Request)
            assert isinstance(ok, Response)
            self._endpoint.resume(dialog, request, ok, accepted.flow, now)
        else:
            self._endpoint.restore(dialog)
        if restored.bye:
            self._sessions.scribe.go_on(call, restored.bye)
        if restored.ended:
            self._sessions.ended_before.add(call.call_id)
            spawn(self._sessions.end(call), f"end {call.call_id}")
            self._loop.call_later(REMEMBER_S, self._endpoint.forget, dialog.id)
        log.info("session goes on", recording=recording, call_id=call.call_id, ended=restored.ended)

    async def _again(self, data: bytes, flow: Flow) -> None:
        """An INVITE that a predecessor died over."""
        await self._listening.wait()
        self._server.received(data, flow)

    async def _leave(self) -> None:
        """Make room for a successor: answer what has come, leave all else to it."""
        if self._requests.answering:
            await asyncio.wait(self._requests.answering, timeout=LEAVE_S)
        await asyncio.sleep(0.01)  # what was written goes out
        self._custody.leaving = True
        self._stopped.set()

    def _certificates(self, tls: TlsSettings) -> Certificates | None:
        if tls.certificate is None or tls.key is None:
            return None
        identity = Identity(tls.certificate, tls.key, tls.authorities, required=tls.clients == "required")
        self._server.open_with(client_context(None, (tls.certificate, tls.key)))
        return Certificates(identity)

    async def _watch(self) -> None:
        """End sessions whose client is gone; refresh what we agreed to refresh."""
        while True:
            await asyncio.sleep(WATCH_S)
            for call in self._sessions:
                self._look(call)
            self._server.flush()

    def _look(self, call: Call) -> None:
        now = self._loop.time()
        if call.liveness is None or call.dialog is None or self._endpoint.dialog(call.dialog) is None:
            return
        silence_s = 0 if call.paused else self._settings.sip.silence_s  # in a pause nothing comes that is seen here
        call.liveness, move = call.liveness.looked(call.received_octets, now, silence_s)
        if move is Move.EXPIRED:
            spawn(self._hang_up(call, "session timer expired"), f"BYE {call.call_id}")
        elif move is Move.REFRESH and call.liveness.timer:
            headers = [("Supported", "timer"), ("Session-Expires", f"{call.liveness.timer.interval_s};refresher=uac")]
            self._endpoint.request_within(call.dialog, "UPDATE", now, headers=headers)
        elif move is Move.ASK:
            self._endpoint.request_within(call.dialog, "OPTIONS", now)

    def _on_answered(self, transaction: Transaction, response: Response | None) -> None:
        """To a question or refresh of ours; None: not at all."""
        request = transaction.request
        call = self._sessions.get(request.call_id)
        if call is None or call.liveness is None or request.method not in ("OPTIONS", "UPDATE"):
            return
        if call.paused and response is None:  # it may send all the same
            call.liveness = call.liveness.seen(self._loop.time())
            return
        call.liveness, gone = call.liveness.answered(response, call.received_octets, self._loop.time())
        if gone:
            spawn(self._hang_up(call, "the client is gone"), f"BYE {call.call_id}")

    async def _drain(self, limit_s: float) -> None:
        """Take no new calls, let those under way end within the limit, hang up on the others."""
        self._sessions.draining = True
        try:
            await asyncio.wait_for(self._sessions.idle.wait(), limit_s)
        except TimeoutError:
            await asyncio.gather(*(self._hang_up(call, "recorder stops") for call in self._sessions))
        self._stopped.set()

    # From and to the SIP server

    def _on_event(self, event: Event) -> None:
        now_ns = time.time_ns()
        match event:
            case RequestReceived():
                self._requests.take(event, now_ns)
            case AckReceived(dialog=dialog, request=request, flow=flow, data=data):
                self._sessions.note(request, data, flow, now_ns, sent=False)
                self._on_ack(dialog)
            case Cancelled(request=request, flow=flow, data=data):
                self._sessions.note(request, data, flow, now_ns, sent=False)
            case ResponseReceived(response=response, flow=flow, data=data):
                self._sessions.note(response, data, flow, now_ns, sent=False)
                if response.code >= 200:
                    self._on_answered(event.transaction, response)
            case AckTimeout(dialog=dialog, first=first):
                self._on_ack_timeout(dialog.call_id, first=first)
            case TransactionTimeout() | TransportFailed():
                log.warning(
                    "SIP transaction failed", how=type(event).__name__, call_id=event.transaction.request.call_id
                )
                self._on_answered(event.transaction, None)
            case Rejected(request=request, flow=flow, status=status, reason=reason):
                call_id = request.headers.get("Call-ID") if request else None
                log.warning("SIP refused", status=status, reason=reason, source=flow.remote[0], call_id=call_id)
                if request is None or request.method == "INVITE":
                    self._refusals.note(event.data, host_port(flow.remote), flow.transport, status, reason, now_ns)

    def _on_send(self, send: Send) -> None:
        """Before a message goes out."""
        self._sessions.note(send.message, send.data, send.flow, time.time_ns(), sent=True)

    def _on_ack(self, dialog: Dialog) -> None:
        if call := self._sessions.get(dialog.call_id):
            call.accepted, call.ack_is_news = None, True

    def _on_ack_timeout(self, call_id: str, *, first: bool) -> None:
        """Only the first INVITE's ACK matters (RFC 3261 §13.3.1.4); that of a re-INVITE may be lost (SRS-40)."""
        log.warning("no ACK for our 200", call_id=call_id, ends=first)
        if first and (call := self._sessions.get(call_id)):
            spawn(self._hang_up(call, "no ACK"), f"BYE {call_id}")

    async def _hang_up(self, call: Call, reason: str) -> None:
        """End the recording session from our side."""
        log.warning("hanging up", recording=call.recording, call_id=call.call_id, reason=reason)
        if call.dialog and self._endpoint.dialog(call.dialog):
            headers = [("Reason", f'SIP;text="{reason}"')]
            self._endpoint.request_within(call.dialog, "BYE", self._loop.time(), headers=headers)
            self._server.flush()
        await self._sessions.end(call)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("--config", "--data"):
        parser.add_argument(option, type=Path)
    parser.add_argument("--channel", type=int, required=True, help="descriptor of the channel to the keeper")
    arguments = parser.parse_args()
    settings = load(arguments.config, arguments.data)
    configure()
    gc.freeze()  # what is loaded stays: to look through it took 50 ms, in which no INVITE was answered
    gc.set_threshold(*LOOK_OFTEN)
    prefer_recording()
    make_room(arguments.channel)
    with socket.socket(fileno=arguments.channel) as end:
        uvloop.run(_run(settings, end))


async def _run(settings: Settings, end: socket.socket) -> None:
    await Signalling(settings, end).run()


if __name__ == "__main__":
    main()
