"""A TCP or TLS connection over asyncio, for those that end with this process; `held` has those that do not."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol, cast

from srs.sip.errors import SipError
from srs.sip.flow import Flow
from srs.sip.framing import PING, PONG, Framer

LARGEST_QUEUE = 8 << 20  # octets a peer may leave unread before its connection is given up


class Receiver(Protocol):
    """Whoever takes what connections bring."""

    def received(self, data: bytes, flow: Flow) -> None:
        """One message came; it is acted on in the next turn of the loop."""

    def refused(self, error: SipError, data: bytes, flow: Flow) -> None:
        """Octets came that cannot be cut into messages; the connection is closed once this has returned."""

    def lost(self, flow: Flow) -> None:
        """A connection is gone, or (with connection 0) could not be opened."""


def acknowledge(sock: socket.socket) -> None:
    """Have the kernel acknowledge at once: a client under Nagle's algorithm else holds a BYE back for 40 ms."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


class Connection(asyncio.Protocol):
    """One connection, from `connection_made` on."""

    def __init__(
        self,
        transport: str,
        number: int,
        receiver: Receiver,
        counts: Counter[str],
        on_made: "Callable[[Connection], None]",
        on_lost: Callable[[int], None],
    ) -> None:
        self.number = number
        self.ended = asyncio.Event()
        self._name = transport
        self._receiver = receiver
        self._counts = counts
        self._on_made, self._on_lost = on_made, on_lost
        self._framer = Framer()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        local, remote = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class
        self.flow = Flow(self._name, local[:2], remote[:2], self.number)
        self.certificate: dict[str, Any] = transport.get_extra_info("peercert") or {}
        self._on_made(self)

    def data_received(self, data: bytes) -> None:
        acknowledge(self._transport.get_extra_info("socket"))
        try:
            for frame in self._framer.feed(data):
                if frame == PING:
                    self.write(PONG)
                else:
                    self._receiver.received(frame, self.flow)
        except SipError as error:
            self._receiver.refused(error, self._framer.waiting, self.flow)
            self._transport.close()

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
        self.ended.set()
        self._on_lost(self.number)
        self._receiver.lost(self.flow)
