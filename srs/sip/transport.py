"""Sockets around an endpoint, over asyncio or uvloop (RFC 3261 §18)."""

import asyncio
import functools
import socket
from collections import Counter, deque
from collections.abc import Callable

from srs.sip.address import ListenAddress
from srs.sip.endpoint import Endpoint
from srs.sip.errors import SipError
from srs.sip.events import Event
from srs.sip.flow import Flow, Send
from srs.sip.streams import Streams

UDP_BUFFER = 4 << 20  # octets; a burst of INVITEs of 4 kB each must wait somewhere
TCP_BACKLOG = 1024  # connections that wait to be accepted
WILDCARDS = frozenset({"0.0.0.0", "::"})
Address = tuple[str, int]


class SipServer:
    """Moves octets between sockets and an endpoint, and its events to the application.

    `on_event` is called for each event, `on_send` for each message before it goes to its socket. Both run on the loop
    and may call the endpoint; who calls the endpoint at another time calls `flush` afterwards. An exception of theirs
    goes to the loop's exception handler and costs no other message. `now` of the endpoint is `loop.time()`.
    """

    def __init__(
        self, endpoint: Endpoint, on_event: Callable[[Event], None], on_send: Callable[[Send], None] | None = None
    ) -> None:
        self.endpoint = endpoint
        self.counts: Counter[str] = Counter()  # what was lost in sockets
        self._on_event = on_event
        self._on_send = on_send
        self._loop = asyncio.get_running_loop()
        self._events: deque[Event] = deque()
        self._sends: deque[Send] = deque()
        self._flushing = False
        self._closed = False
        self._turn: asyncio.Handle | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._servers: list[asyncio.Server] = []
        self._datagrams: dict[Address, asyncio.DatagramTransport] = {}
        self._streams = Streams(self, self.counts)

    async def listen(self, url: str) -> ListenAddress:
        """Listen on `udp://host:port` or `tcp://host:port`; the result tells the port that port 0 became.

        Raises:
            ListenError: the URL is not understood, or its transport is not served.
            OSError: the address cannot be had.
        """
        return await self.serve(await _bind(ListenAddress.parse(url)))

    async def serve(self, sock: socket.socket) -> ListenAddress:
        """Serve a socket that is bound: datagrams are UDP, streams TCP. The server closes it in the end."""
        sock.setblocking(False)
        local: Address = sock.getsockname()[:2]
        if sock.type == socket.SOCK_STREAM:
            self._servers.append(await self._loop.create_server(self._streams.accept, sock=sock, backlog=TCP_BACKLOG))
            return ListenAddress("TCP", *local)
        transport, _ = await self._loop.create_datagram_endpoint(lambda: _Datagrams(self, local), sock=sock)
        self._datagrams[local] = transport
        return ListenAddress("UDP", *local)

    async def close(self) -> None:
        """Close all sockets; what waits to be written on connections still goes out."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        for server in self._servers:
            server.close()
        for datagrams in self._datagrams.values():
            datagrams.close()
        self._streams.close()
        await asyncio.sleep(0)

    def received(self, data: bytes, flow: Flow) -> None:
        """A message came on a socket."""
        self.endpoint.receive(data, flow, self._loop.time())
        self._schedule()

    def refused(self, error: SipError, data: bytes, flow: Flow) -> None:
        """A stream is no SIP any more; the answer is written when this returns."""
        self.endpoint.reject(error, data, flow)
        self.flush()

    def lost(self, flow: Flow) -> None:
        """A connection is gone."""
        self.endpoint.connection_lost(flow, self._loop.time())
        self._schedule()

    def flush(self) -> None:
        """Hand events to the application and messages to their sockets until none is left; set the timer."""
        if self._flushing or self._closed:
            return
        self._flushing = True
        try:
            self._drain()
        finally:
            self._flushing = False
            self._arm()
            if self._events or self._sends:  # a handler failed: what comes after it goes on
                self._schedule()

    def _drain(self) -> None:
        self._collect()
        while self._events or self._sends:
            if self._events:
                self._on_event(self._events.popleft())
            else:
                self._write(self._sends.popleft())
            self._collect()

    def _collect(self) -> None:
        self._events.extend(self.endpoint.events())
        self._sends.extend(self.endpoint.outgoing())

    def _schedule(self) -> None:
        """Flush in the next turn of the loop, where a handler's exception breaks no connection."""
        if self._turn is None:
            self._turn = self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._turn = None
        self.flush()

    def _arm(self) -> None:
        """Have `_fire` called at the next timer or earlier."""
        at = self.endpoint.next_timer()
        if at is None or (self._alarm is not None and self._alarm.when() <= at):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._loop.call_at(at, self._fire)

    def _fire(self) -> None:
        self._alarm = None
        self.endpoint.handle_timers(self._loop.time())
        self.flush()

    def _write(self, send: Send) -> None:
        try:
            if self._on_send is not None:
                self._on_send(send)
        finally:
            if send.flow.reliable:
                self._streams.write(send)
            else:
                self._write_datagram(send)

    def _write_datagram(self, send: Send) -> None:
        host, port = send.flow.local
        wildcard = "::" if ":" in send.flow.remote[0] else "0.0.0.0"
        transport = self._datagrams.get((host, port)) or self._datagrams.get((wildcard, port))
        if transport is None:
            self.counts["no socket"] += 1
        else:
            transport.sendto(send.data, send.flow.remote)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: SipServer, local: Address) -> None:
        self._server = server
        self._local = local

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        host, port = self._local
        local = (_address_towards(addr[0]), port) if host in WILDCARDS else self._local
        self._server.received(data, Flow("UDP", local, addr[:2]))

    def error_received(self, exc: Exception) -> None:  # noqa: ARG002
        self._server.counts["datagram errors"] += 1


async def _bind(address: ListenAddress) -> socket.socket:
    """A bound socket; IPv6 sockets take no IPv4, which has listeners of its own."""
    loop = asyncio.get_running_loop()
    kind = socket.SOCK_DGRAM if address.transport == "UDP" else socket.SOCK_STREAM
    found = await loop.getaddrinfo(address.host, address.port, type=kind, flags=socket.AI_PASSIVE)
    family, _, _, _, target = found[0]
    sock = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            _enlarge(sock)
        sock.bind(target)
    except OSError:
        sock.close()
        raise
    return sock


def _enlarge(sock: socket.socket) -> None:
    """A large receive buffer, beyond the system's limit where we may."""
    force = getattr(socket, "SO_RCVBUFFORCE", 33)  # known to Linux, not to every Python
    try:
        sock.setsockopt(socket.SOL_SOCKET, force, UDP_BUFFER)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_BUFFER)


@functools.lru_cache(maxsize=1024)
def _address_towards(host: str) -> str:
    """The local address from which packets to `host` leave, for sockets that are bound to a wildcard."""
    family, wildcard = (socket.AF_INET6, "::") if ":" in host else (socket.AF_INET, "0.0.0.0")
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 9))
        except OSError:
            return wildcard
        address: str = probe.getsockname()[0]
        return address
