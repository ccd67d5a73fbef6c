"""TCP and TLS connections of a SIP server, accepted and opened (RFC 3261 §18, RFC 5626 §4.4.1 for keep-alives)."""

import asyncio
import contextlib
import itertools
import secrets
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from srs.sip.address import host_port
from srs.sip.connection import Connection, Receiver
from srs.sip.flow import Flow, Send
from srs.sip.held import HeldConnection
from srs.sip.tls import names
from srs.tasks import spawn

log = structlog.get_logger()

FIRST_OWN = 1 << 32
"""Numbers of connections from here on are ours, and drawn: a predecessor's dialogs may name its own."""
CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 1.0
Peer = tuple[str, tuple[str, int]]  # transport and address


class Streams:
    """The connections, by number and, for those that we opened, by peer."""

    def __init__(self, receiver: Receiver, counts: Counter[str], drop: Callable[[int], None]) -> None:
        """
        Args:
            drop: called when a connection that was adopted has ended.
        """
        self._receiver = receiver
        self._counts = counts
        self._drop = drop
        self._connections: dict[int, Connection | HeldConnection] = {}
        self._opened: dict[Peer, Opened] = {}
        self._numbers = itertools.count(FIRST_OWN + secrets.randbits(48))
        self.tls: ssl.SSLContext | None = None  # to open TLS connections with

    def adopt(self, number: int, sock: socket.socket) -> None:
        """Take up a connection that another process accepted and holds, under its number, less than `FIRST_OWN`."""
        try:
            connection = HeldConnection(sock, number, self._receiver, self._counts, self._release)
        except OSError as error:
            log.info("the client is gone already", connection=number, reason=error.strerror)
            sock.close()
            self._drop(number)
        else:
            self._connections[number] = connection

    def accept(self, transport: str) -> Connection:
        """The protocol of a connection that ends with this process: TLS has its keys here."""
        return Connection(
            transport, next(self._numbers), self._receiver, self._counts, self._add, self._connections.__delitem__
        )

    def _add(self, connection: Connection) -> None:
        self._connections[connection.number] = connection

    def _release(self, number: int) -> None:
        del self._connections[number]
        self._drop(number)

    def peer_names(self, number: int) -> tuple[str, ...]:
        """The names in the certificate of a client, which was verified; none where it gave none."""
        connection = self._connections.get(number)
        return names(connection.certificate) if isinstance(connection, Connection) else ()

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
        connection = self.accept(peer[0])
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
        if secure := [each for each in self._connections.values() if each.flow.transport == "TLS"]:
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
