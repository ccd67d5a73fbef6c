"""TCP and TLS connections of a SIP server, accepted and opened (RFC 3261 §18, RFC 5626 §4.4.1 for keep-alives)."""

import asyncio
import contextlib
import itertools
import socket
import ssl
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import structlog

from srs.sip.address import host_port
from srs.sip.errors import SipError
from srs.sip.flow import Flow, Send
from srs.sip.framing import PING, PONG, Framer
from srs.sip.tls import names
from srs.tasks import spawn

log = structlog.get_logger()

LARGEST_QUEUE = 8 << 20  # octets a peer may leave unread before its connection is given up
CONNECT_SECONDS = 10.0
SETTLED_S = 0.05  # after which a message has been acted on
CLOSE_SECONDS = 1.0
Peer = tuple[str, tuple[str, int]]  # transport and address


class Receiver(Protocol):
    """Whoever takes what connections bring."""

    def received(self, data: bytes, flow: Flow) -> None:
        """One message came."""

    def refused(self, error: SipError, data: bytes, flow: Flow) -> None:
        """Octets came that cannot be cut into messages; the connection is closed once this has returned."""

    def lost(self, flow: Flow) -> None:
        """A connection is gone, or (with connection 0) could not be opened."""


class Holder(Protocol):
    """Keeps accepted connections open when this process dies, so that its successor can go on with them."""

    def hold(self, number: int, descriptor: int) -> None:
        """A connection was accepted."""

    def partial(self, number: int, data: bytes) -> None:
        """What came on the connection and may not have been acted on yet."""

    def drop(self, number: int) -> None:
        """The connection is closed."""


class Streams:
    """The connections, by number and, for those that we opened, by peer."""

    def __init__(self, receiver: Receiver, counts: Counter[str], holder: Holder | None = None) -> None:
        self._receiver = receiver
        self._counts = counts
        self._holder = holder
        self._connections: dict[int, Connection] = {}
        self._opened: dict[Peer, Opened] = {}
        self._numbers = itertools.count(1)
        self.tls: ssl.SSLContext | None = None  # to open TLS connections with

    def accept(self) -> "Connection":
        """The protocol of a new connection."""
        return Connection(self._receiver, self._counts, self._connections, next(self._numbers), self._holder)

    async def adopt(self, number: int, sock: socket.socket, partial: bytes) -> None:
        """Go on with a connection of a process that died."""
        self._numbers = itertools.count(max(number + 1, next(self._numbers)))
        connection = Connection(self._receiver, self._counts, self._connections, number, self._holder)
        connection.adopted = partial
        await asyncio.get_running_loop().connect_accepted_socket(lambda: connection, sock)

    def accept_tls(self) -> "Connection":
        """The protocol of a new TLS connection. No other process can go on with it: its keys are here."""
        connection = Connection(self._receiver, self._counts, self._connections, next(self._numbers))
        connection.transport = "TLS"
        return connection

    def peer_names(self, number: int) -> tuple[str, ...]:
        """The names in the certificate of a client, which was verified; none where it gave none."""
        connection = self._connections.get(number)
        return names(connection.certificate) if connection else ()

    def write(self, send: Send) -> None:
        """Send on the connection that the flow names; 0 is the one that we opened to its peer, or will open."""
        if not send.flow.connection:
            self._write_opened(send)
        elif (connection := self._connections.get(send.flow.connection)) is not None:
            connection.write(send.data)
        else:
            self._counts["no connection"] += 1

    def _write_opened(self, send: Send) -> None:
        peer = send.flow.transport, send.flow.remote
        opened = self._opened.get(peer)
        if opened is None:
            opened = self._opened[peer] = Opened()
            opened.task = spawn(self._open(peer, opened), f"connect to {host_port(send.flow.remote)}")
        opened.flows.add(send.flow)
        if opened.connection is None:
            opened.waiting.append(send.data)
        else:
            opened.connection.write(send.data)

    async def _open(self, peer: Peer, opened: "Opened") -> None:
        """Connect, send what waits, and stay until the connection is gone."""
        connection = Connection(self._receiver, self._counts, self._connections, next(self._numbers))
        connection.transport = peer[0]
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                loop = asyncio.get_running_loop()
                await loop.create_connection(lambda: connection, *peer[1], **self._security(peer))
            opened.connection = connection
            for data in opened.waiting:
                connection.write(data)
            await connection.ended.wait()
        except OSError as error:  # TimeoutError is one
            log.info("no connection", to=host_port(peer[1]), reason=str(error) or "timeout")
        del self._opened[peer]
        for flow in opened.flows:
            self._receiver.lost(flow)

    def _security(self, peer: Peer) -> dict[str, Any]:
        """
        Raises:
            OSError: TLS is wanted and there is no context for it.
        """
        if peer[0] != "TLS":
            return {}
        if self.tls is None:
            raise OSError("no TLS is set up")
        return {"ssl": self.tls, "server_hostname": peer[1][0] if self.tls.check_hostname else ""}

    async def close(self) -> None:
        """Close all connections once what was written is out; a peer that does not say good-bye is not waited for."""
        for connection in list(self._connections.values()):
            connection.close()
        for opened in self._opened.values():
            if opened.task is not None:
                opened.task.cancel()
        if secure := [each for each in self._connections.values() if each.transport == "TLS"]:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*(each.ended.wait() for each in secure)), CLOSE_SECONDS)
            for connection in secure:
                connection.abort()


@dataclass(eq=False, slots=True)
class Opened:
    """A connection of ours, from the first message for it on."""

    connection: "Connection | None" = None
    waiting: list[bytes] = field(default_factory=list)  # until it is open
    flows: set[Flow] = field(default_factory=set)  # under which it is known
    task: asyncio.Task[None] | None = None


class Connection(asyncio.Protocol):
    """One connection."""

    transport = "TCP"

    def __init__(
        self,
        receiver: Receiver,
        counts: Counter[str],
        connections: "dict[int, Connection]",
        number: int,
        holder: Holder | None = None,
    ) -> None:
        self.ended = asyncio.Event()
        self.adopted: bytes | None = None  # of another process, which left this unread
        self._holder = holder
        self._recent: deque[tuple[float, bytes]] = deque()  # messages that may not have been acted on yet
        self._settling: asyncio.TimerHandle | None = None
        self._receiver = receiver
        self._counts = counts
        self._connections = connections
        self._number = number
        self._framer = Framer()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        local, remote = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class
        self._flow = Flow(self.transport, local[:2], remote[:2], self._number)
        self.certificate: dict[str, Any] = transport.get_extra_info("peercert") or {}
        self._connections[self._number] = self
        if self.adopted:
            self.data_received(self.adopted)
        elif self._holder is not None and self.adopted is None:
            self._holder.hold(self._number, transport.get_extra_info("socket").fileno())

    def data_received(self, data: bytes) -> None:
        self._acknowledge()
        self._journal(data)
        try:
            for frame in self._framer.feed(data):
                if self._holder is not None:
                    self._recent.append((asyncio.get_running_loop().time(), frame))
                if frame == PING:
                    self.write(PONG)
                else:
                    self._receiver.received(frame, self._flow)
        except SipError as error:
            self._receiver.refused(error, self._framer.waiting, self._flow)
            self._transport.close()

    def _journal(self, data: bytes = b"") -> None:
        """Leave with the holder what this process would lose if it died now: TCP does not bring it again."""
        if self._holder is None:
            return
        recent = b"".join(frame for _, frame in self._recent)
        self._holder.partial(self._number, recent + self._framer.waiting + data)
        if self._settling is None and (recent or data):
            self._settling = asyncio.get_running_loop().call_later(SETTLED_S, self._settle)

    def _settle(self) -> None:
        """What came a while ago was acted on, or the application has left it elsewhere."""
        self._settling = None
        settled = asyncio.get_running_loop().time() - SETTLED_S
        while self._recent and self._recent[0][0] <= settled:
            self._recent.popleft()
        self._journal()

    def _acknowledge(self) -> None:
        """Have the kernel acknowledge at once: a client under Nagle's algorithm else holds a BYE back for 40 ms."""
        sock: socket.socket = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def write(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > LARGEST_QUEUE:
            self._counts["peers that do not read"] += 1
            self._transport.abort()

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        del self._connections[self._number]
        self.ended.set()
        if self._settling is not None:
            self._settling.cancel()
        if self._holder is not None:
            self._holder.drop(self._number)
        self._receiver.lost(self._flow)
