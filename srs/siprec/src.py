"""A session recording client (RFC 7866) of our own: for the demo, for tests, for load.

It offers one m-line a leg, sends the legs' sound, and hangs up. `srs call` is its command.
"""

import asyncio
import secrets
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rtp.codecs import STATIC, Codec
from rtp.send import Impairment, Stream
from srs.sip.address import host_port
from srs.sip.dialog import DialogId
from srs.sip.endpoint import Endpoint
from srs.sip.events import Event, RequestReceived, ResponseReceived, TransactionTimeout, TransportFailed
from srs.sip.flow import Flow
from srs.sip.message import Request, make_request, response
from srs.sip.sockets import address_towards
from srs.sip.tls import client_context
from srs.sip.transaction import Transaction
from srs.sip.transport import SipServer
from srs.siprec import body as bodies
from srs.siprec import metadata, sdes, src_srtp
from srs.siprec.sdp import parse
from srs.siprec.src_media import FRAME_S, Leg, Metronome, plan

CODECS = {codec.name: codec for codec in (STATIC[0], STATIC[8])}


class CallFailed(Exception):
    """The recorder did not take the call, or not as offered; the text says what it answered."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call is to be."""

    target: tuple[str, int]
    """Address of the recorder."""
    transport: str
    """"UDP", "TCP" or "TLS"; the recorder's certificate is not looked at."""
    parties: Sequence[str]
    """AORs, one for each leg, the caller first."""
    frames: Sequence[Sequence[bytes]]
    """Payloads of 20 ms, for each leg; repeated until the call is over."""
    codec: Codec
    duration_s: float
    impairment: Impairment = field(default_factory=Impairment)
    srtp: str | None = None
    """Crypto suite; None: plain RTP."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call."""

    call_id: str
    answered_s: float
    """From INVITE to 200."""
    packets: tuple[int, ...]
    """Sent, for each leg."""


class Client:
    """Makes calls, many at once, from one SIP socket. `async with Client(transport, address)`."""

    def __init__(self, target: tuple[str, int], transport: str) -> None:
        self._local = address_towards(target[0])
        self._endpoint = Endpoint(token=lambda: secrets.token_hex(8))
        self._server = SipServer(self._endpoint, self._on_event)
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[Transaction, asyncio.Future[ResponseReceived]] = {}
        self._hung_up: dict[str, asyncio.Event] = {}
        self._flow = Flow(transport, (self._local, 0), target)
        if transport == "TLS":
            self._server.open_with(client_context(None))

    async def __aenter__(self) -> "Client":
        self._metronome = Metronome()
        if self._transport == "UDP":
            address = await self._server.listen(f"udp://{host_port((self._local, 0))}")
            self._flow = Flow("UDP", address.address, self._flow.remote)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    async def call(self, plan_: Plan) -> Outcome:
        """Make one call, from INVITE to the answer to BYE.

        Raises:
            CallFailed: the recorder refused, did not answer, or hung up early.
        """
        legs = [_open_leg(self._local, plan_, number) for number in range(len(plan_.parties))]
        try:
            return await self._run(plan_, legs)
        finally:
            for leg in legs:
                self._metronome.stop(leg)
                leg.socket.close()

    async def _run(self, plan_: Plan, legs: list[Leg]) -> Outcome:
        call_id = f"{secrets.token_hex(12)}@{self._local}"
        began = time.monotonic()
        invite = _invite(call_id, plan_, legs, self._contact())
        answered = await self._ask(self._endpoint.request(invite, self._flow, self._loop.time()))
        seconds = time.monotonic() - began
        dialog = answered.dialog
        if answered.response.code != 200 or dialog is None:
            raise CallFailed(f"INVITE {call_id}: {answered.response.code} {answered.response.phrase}")
        self._endpoint.acknowledge(answered.transaction, dialog)
        self._server.flush()
        self._hung_up[call_id] = asyncio.Event()
        for leg, line in zip(legs, parse(answered.response.body).media, strict=True):
            if leg.key and not sdes.agreed(line, line):
                raise CallFailed(f"INVITE {call_id}: {plan_.srtp} was not answered")
            leg.socket.connect((line.address, line.port))
            self._metronome.start(leg)
        await self._talk(call_id, plan_.duration_s)
        await self._bye(dialog.id)
        return Outcome(call_id, seconds, tuple(leg.sent for leg in legs))

    async def _talk(self, call_id: str, duration_s: float) -> None:
        """Wait out the call; the recorder may end it.

        Raises:
            CallFailed: it did.
        """
        try:
            await asyncio.wait_for(self._hung_up[call_id].wait(), duration_s)
        except TimeoutError:
            return
        finally:
            del self._hung_up[call_id]
        raise CallFailed(f"{call_id}: the recorder hung up")

    async def _bye(self, dialog: DialogId) -> None:
        answered = await self._ask(self._endpoint.request_within(dialog, "BYE", self._loop.time()))
        if answered.response.code != 200:
            raise CallFailed(f"BYE {dialog[0]}: {answered.response.code} {answered.response.phrase}")

    async def _ask(self, transaction: Transaction) -> ResponseReceived:
        """The final response to a request of ours."""
        answer: asyncio.Future[ResponseReceived] = self._loop.create_future()
        self._waiting[transaction] = answer
        self._server.flush()
        return await answer

    def _on_event(self, event: Event) -> None:
        match event:
            case ResponseReceived(transaction=transaction, response=answer) if answer.code >= 200:
                if waiting := self._waiting.pop(transaction, None):
                    waiting.set_result(event)
            case TransactionTimeout(transaction=transaction) | TransportFailed(transaction=transaction):
                if waiting := self._waiting.pop(transaction, None):
                    request = transaction.request
                    why = "no answer" if isinstance(event, TransactionTimeout) else "no connection"
                    waiting.set_exception(CallFailed(f"{request.method} {request.call_id}: {why}"))
            case RequestReceived(transaction=transaction, request=request):
                self._endpoint.respond(transaction, response(request, 200), self._loop.time())
                if request.method == "BYE" and (talk := self._hung_up.get(request.call_id)):
                    talk.set()

    def _contact(self) -> str:
        transport = f";transport={self._transport.lower()}" if self._transport != "UDP" else ""
        return f"<sip:src@{host_port(self._flow.local)}{transport}>;+sip.src"


def _open_leg(local: str, plan_: Plan, number: int) -> Leg:
    sock = socket.socket(socket.AF_INET6 if ":" in local else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind((local, 0))
    stream = Stream(
        plan_.frames[number],
        plan_.codec.payload_type,
        ssrc=secrets.randbits(32),
        sequence=secrets.randbits(16),
        timestamp=secrets.randbits(32),
        step=round(plan_.codec.clock_rate * FRAME_S),
    )
    impairment = replace(plan_.impairment, seed=plan_.impairment.seed + number)
    leg = Leg(sock, stream, plan(plan_.duration_s, impairment))
    if plan_.srtp:
        leg.key = src_srtp.offered(plan_.srtp)
        leg.protect = src_srtp.protector(leg.key)
    return leg


def _invite(call_id: str, plan_: Plan, legs: list[Leg], contact: str) -> Request:
    """The INVITE of RFC 7866 §6.1: offer and metadata."""
    local = legs[0].socket.getsockname()[0]
    offer = _offer(local, legs, plan_.codec)
    xml = metadata.write(call_id, plan_.parties)
    content_type, body = bodies.build(offer.encode(), xml)
    target = f"sip:srs@{host_port(plan_.target)}"
    headers = [
        ("From", f"<sip:src@{host_port((local, 0)).rpartition(':')[0]}>"),
        ("To", f"<{target}>"),
        ("Call-ID", call_id),
        ("CSeq", "1 INVITE"),
        ("Contact", contact),
        ("Require", "siprec"),
        ("Content-Type", content_type),
    ]
    return make_request("INVITE", target, headers, body)


def _offer(local: str, legs: list[Leg], codec: Codec) -> str:
    """One sendonly m-line a leg, labels 1, 2, …"""
    version = "IP6" if ":" in local else "IP4"
    lines = ["v=0", f"o=src {secrets.randbits(31)} 1 IN {version} {local}", "s=-", f"c=IN {version} {local}", "t=0 0"]
    for label, leg in enumerate(legs, start=1):
        number = codec.payload_type
        rtpmap = f"a=rtpmap:{number} {codec.name}/{codec.clock_rate}"
        port, transport = leg.socket.getsockname()[1], "RTP/SAVP" if leg.key else "RTP/AVP"
        lines += [f"m=audio {port} {transport} {number}", rtpmap, *([f"a=crypto:{leg.key}"] if leg.key else [])]
        lines += ["a=ptime:20", f"a=label:{label}", "a=sendonly"]
    return "\r\n".join([*lines, ""])
