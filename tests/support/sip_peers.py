"""A SIP server on loopback that answers everything, and plain sockets as its peers."""

import asyncio
import contextlib
import secrets
import socket

from srs.sip.endpoint import Endpoint
from srs.sip.events import RequestReceived
from srs.sip.message import parse, response
from srs.sip.transaction import Timers
from srs.sip.transport import SipServer


class Application:
    """Answers 200 to all, except where `fail` is in the Subject. With its own timers a busy machine sees no message
    twice."""

    def __init__(self, timers=Timers(t1=10.0)):  # noqa: B008 - it is frozen
        self.events, self.sends = [], []
        endpoint = Endpoint(token=lambda: secrets.token_hex(8), timers=timers)
        self.server = SipServer(endpoint, self.on_event, self.sends.append)

    def on_event(self, event):
        self.events.append(event)
        if isinstance(event, RequestReceived):
            if event.request.headers.get("Subject") == "fail":
                raise RuntimeError("application failed")
            made = response(event.request, 200)
            host = f"[{event.flow.local[0]}]" if ":" in event.flow.local[0] else event.flow.local[0]
            made.headers.set("Contact", f"<sip:srs@{host}:{event.flow.local[1]}>")
            self.server.endpoint.respond(event.transaction, made, asyncio.get_running_loop().time())

    def happened(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


def message(
    method, cseq, *, port=5060, transport="UDP", to_tag="", body=b"", call="call", subject="x", host="127.0.0.1"
):
    tag = f";tag={to_tag}" if to_tag else ""
    sent_by = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return (
        f"{method} sip:srs@x SIP/2.0\r\nVia: SIP/2.0/{transport} {sent_by};branch=z9hG4bK{call}{method}{cseq}\r\n"
        f"From: <sip:a@b>;tag=1\r\nTo: <sip:srs@x>{tag}\r\nCall-ID: {call}\r\nCSeq: {cseq} {method}\r\n"
        f"Contact: <sip:a@{sent_by}>\r\nSubject: {subject}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for is told by no event
            await asyncio.sleep(0.005)


class DatagramPeer:
    """A UDP socket."""

    def __init__(self, host):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    async def receive(self):
        async with asyncio.timeout(5):
            while True:
                with contextlib.suppress(BlockingIOError):
                    return parse(self.socket.recv(65535))
                await asyncio.sleep(0.005)


class StreamPeer:
    """A TCP client."""

    @classmethod
    async def connect(cls, host, port):
        peer = cls()
        peer.reader, peer.writer = await asyncio.open_connection(host, port)
        peer.port = peer.writer.get_extra_info("sockname")[1]
        return peer

    def send(self, data):
        self.writer.write(data)

    async def receive(self):
        async with asyncio.timeout(5):
            return parse(await self.reader.readuntil(b"\r\n\r\n"))

    async def close(self):
        self.writer.close()
        await self.writer.wait_closed()
