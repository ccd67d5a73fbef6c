"""Sockets around an endpoint, over asyncio or uvloop (RFC 3261 §18)."""

import asyncio
import functools
import socket
import ssl
from collections import Counter, deque
from collections.abc import Callable

from srs.sip.address import ListenAddress, ListenError
from srs.sip.endpoint import Endpoint
from srs.sip.errors import SipError
from srs.sip.events import Event
from srs.sip.flow import Flow, Send
from srs.sip.securing import SecureListener
from srs.sip.sockets import address_towards, bind
from srs.sip.streams import Streams

TCP_BACKLOG = 1024  # connections that wait to be accepted
ROUTE_SECONDS = 10.0  # for which a looked-up local address is believed
WILDCARDS = frozenset({"0.0.0.0", "::"})
Address = tuple[str, int]


class SipServer:
    """Moves octets between sockets and an endpoint, and its events to the application.

    `on_event` is called for each event, `on_send` for each message before it goes to its socket. Both run on the loop
    and may call the endpoint; who calls the endpoint at another time calls `flush` afterwards. An exception of theirs
    goes to the loop's exception handler and costs no other message. `now` of the endpoint is `loop.time()`. `drop` is
    called with the number of an adopted connection that has ended.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        on_event: Callable[[Event], None],
        on_send: Callable[[Send], None] | None = None,
        drop: Callable[[int], None] = lambda number: None,  # noqa: ARG005
    ) -> None:
        self.endpoint = endpoint
        self.counts: Counter[str] = Counter()  # what was lost in sockets
        self._on_event = on_event
        self._on_send = on_send
        self._loop = asyncio.get_running_loop()
        self._incoming: deque[Callable[[float], None]] = deque()
        """What sockets brought: each is acted on at a moment."""
        self._events: deque[Event] = deque()
        self._sends: deque[Send] = deque()
        self._flushing = False
        self._closed = False
        self._turn: asyncio.Handle | None = None
        self._alarm: asyncio.Handle | None = None
        self._alarm_at = 0.0
        self._servers: list[asyncio.Server | SecureListener] = []
        self._datagrams: dict[Address, asyncio.DatagramTransport] = {}
        self._streams = Streams(self, self.counts, drop)

    async def listen(self, url: str, tls: ssl.SSLContext | None = None) -> ListenAddress:
        """Listen on `udp://host:port`, `tcp://host:port` or `tls://host:port`; the result tells what port 0 became.

        Raises:
            ListenError: the URL is not understood, or its transport is not served, or is TLS without a context.
            OSError: the address cannot be had.
        """
        address = ListenAddress.parse(url)
        if (address.transport == "TLS") != (tls is not None):
            raise ListenError(f"{url}: a certificate belongs to tls:// and to nothing else")
        return await self.serve(bind(address), tls)

    def open_with(self, tls: ssl.SSLContext) -> None:
        """Open TLS connections with this context."""
        self._streams.tls = tls

    def peer_names(self, flow: Flow) -> tuple[str, ...]:
        """The names in the client's certificate, none where it gave none or TLS is not used."""
        return self._streams.peer_names(flow.connection) if flow.transport == "TLS" else ()

    async def serve(self, sock: socket.socket, tls: ssl.SSLContext | None = None) -> ListenAddress:
        """Serve a socket that is bound: datagrams are UDP, streams TCP or TLS. The server closes it in the end."""
        sock.setblocking(False)
        local: Address = sock.getsockname()[:2]
        if sock.type == socket.SOCK_STREAM:
            transport = "TLS" if tls else "TCP"
            accept = functools.partial(self._streams.accept, transport)
            if tls:
                self._servers.append(SecureListener(sock, tls, accept, TCP_BACKLOG))
            else:
                self._servers.append(await self._loop.create_server(accept, sock=sock, backlog=TCP_BACKLOG))
            return ListenAddress(transport, *local)
        datagrams, _ = await self._loop.create_datagram_endpoint(lambda: _Datagrams(self, local), sock=sock)
        self._datagrams[local] = datagrams
        return ListenAddress("UDP", *local)

    def adopt(self, number: int, sock: socket.socket) -> None:
        """Serve a TCP connection that another process accepted and holds, under the number it gave."""
        self._streams.adopt(number, sock)

    async def close(self) -> None:
        """Close all sockets; what waits to be written on connections still goes out."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        for server in self._servers:
            server.close()
        for datagrams in self._datagrams.values():
            datagrams.close()
        await self._streams.close()
        await asyncio.sleep(0)

    def local_address(self, remote: str) -> str:
        """The address of ours that packets to `remote` leave from, for sockets that are bound to a wildcard."""
        return _address_towards(remote, int(self._loop.time() / ROUTE_SECONDS))

    def received(self, data: bytes, flow: Flow) -> None:
        """A message came on a socket."""
        self._incoming.append(functools.partial(self.endpoint.receive, data, flow))
        self._schedule()

    def refused(self, error: SipError, data: bytes, flow: Flow) -> None:
        """A stream is no SIP any more; the answer is written when this returns."""
        self._act()
        self.endpoint.reject(error, data, flow)
        self.flush()

    def lost(self, flow: Flow) -> None:
        """A connection is gone."""
        self._incoming.append(functools.partial(self.endpoint.connection_lost, flow))
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
        """What a handler answers at once supersedes the 100 that nobody has seen yet."""
        while True:
            self._events.extend(self.endpoint.events())
            if self._events:
                self._on_event(self._events.popleft())
                continue
            self._sends.extend(self.endpoint.outgoing())
            if not self._sends:
                return
            self._write(self._sends.popleft())

    def _schedule(self) -> None:
        """Act in the next turn of the loop, where a handler's exception breaks no connection."""
        if self._turn is None:
            self._turn = self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._turn = None
        self._act()

    def _act(self) -> None:
        """Act on what came, one after the other: of two re-INVITEs that came at once the second finds the first
        answered."""
        try:
            self.flush()
            while self._incoming:
                self._incoming.popleft()(self._loop.time())
                self.flush()
        finally:
            if self._incoming:  # a handler failed: what comes after it goes on
                self._schedule()

    def _arm(self) -> None:
        """Have `_fire` called at the next timer or earlier."""
        at = self.endpoint.next_timer()
        if at is None or (self._alarm is not None and self._alarm_at <= at):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._loop.call_at(at, self._fire)
        self._alarm_at = at  # kept here: what uvloop gives for a moment that is now has no `when`

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
        local = (self._server.local_address(addr[0]), port) if host in WILDCARDS else self._local
        self._server.received(data, Flow("UDP", local, addr[:2]))

    def error_received(self, exc: Exception) -> None:  # noqa: ARG002
        self._server.counts["datagram errors"] += 1


@functools.lru_cache(maxsize=4096)
def _address_towards(host: str, _period: int) -> str:
    """The local address of packets to `host`, looked up anew in each period, since routes change."""
    try:
        return address_towards(host)
    except OSError:
        return "::" if ":" in host else "0.0.0.0"
