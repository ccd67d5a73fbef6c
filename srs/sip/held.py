"""TCP connections that outlive this process: octets stay in the kernel until what they say was acted on.

A process that dies over a message leaves it, unread, to its successor, which gets a duplicate of the descriptor from
whoever holds the connection. So a message comes at least once, as over UDP; transactions and dialogs know it again.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from srs.sip.connection import LARGEST_QUEUE, Receiver, acknowledge
from srs.sip.errors import SipError
from srs.sip.flow import Flow
from srs.sip.framing import PING, PONG, Framer

LARGEST_HELD = 128 << 10
"""Octets of one message that wait in the kernel for its rest; of a longer one they come here, and die with us."""
READ_SIZE = 64 << 10


class HeldConnection:
    """One connection, from when this process has it."""

    def __init__(
        self,
        sock: socket.socket,
        number: int,
        receiver: Receiver,
        counts: Counter[str],
        on_lost: Callable[[int], None],
    ) -> None:
        """
        Raises:
            OSError: the client is gone already.
        """
        sock.setblocking(False)
        # Under Nagle's algorithm a 200 would wait behind the answer to another call for 40 ms.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = number
        self.flow = Flow("TCP", sock.getsockname()[:2], sock.getpeername()[:2], number)
        self.ended = asyncio.Event()
        self._socket = sock
        self._receiver = receiver
        self._counts = counts
        self._on_lost = on_lost
        self._framer = Framer()
        self._acted = 0
        """Octets at the head of the kernel's queue whose messages the application has."""
        self._framed = 0
        """Octets behind them that the framer has: the beginning of a message."""
        self._unsent = bytearray()
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._wake()
        self._loop.add_reader(sock, self._read)

    # What comes

    def _wake(self) -> None:
        """Have `_read` called when more has come than the framer has."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, self._framed + 1)

    def _read(self) -> None:
        try:
            data = self._socket.recv(self._framed + READ_SIZE, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            self.abort()
            return
        acknowledge(self._socket)
        if not data:
            self.abort()
        elif len(data) == self._framed or self._framed > LARGEST_HELD:  # its rest will not come, or is too much
            self._take(self._framed)
            self._framed = 0
            self._wake()
        else:
            self._feed(data)

    def _feed(self, data: bytes) -> None:
        """Act on what lies at the head of the queue."""
        try:
            for frame in self._framer.feed(data[self._framed :]):
                if frame == PING:
                    self.write(PONG)
                else:
                    self._receiver.received(frame, self.flow)
        except SipError as error:
            self._acted = len(data)
            self._receiver.refused(error, self._framer.waiting, self.flow)
            self.close()
        if self._closing:
            return
        self._framed = min(len(data), len(self._framer.waiting))
        self._acted = len(data) - self._framed
        self._wake()
        if self._acted:
            self._loop.remove_reader(self._socket)
            self._loop.call_soon(self._settle)  # behind the turn in which the application acts

    def _settle(self) -> None:
        if not self._closing:
            self._take(self._acted)
            self._acted = 0
            self._loop.add_reader(self._socket, self._read)

    def _take(self, count: int) -> None:
        """Read octets for good."""
        with suppress(OSError):  # of a connection that broke, as the next `_read` will find
            self._socket.recv(count)

    # What goes out

    def write(self, data: bytes) -> None:
        if self._closing:
            return
        self._unsent += data
        if len(self._unsent) == len(data):
            self._flush()
        if len(self._unsent) > LARGEST_QUEUE:
            self._counts["peers that do not read"] += 1
            self.abort()

    def _flush(self) -> None:
        try:
            del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self.abort()
            return
        if self._unsent:
            self._loop.add_writer(self._socket, self._flush)
            return
        self._loop.remove_writer(self._socket)
        if self._closing:
            self.abort()

    def close(self) -> None:
        """End it once what was written is out."""
        if not self._closing:
            self._closing = True
            self._loop.remove_reader(self._socket)
            self._take(self._acted)  # what is not read when it closes would reset it, and take our answer along
            self._flush()

    def abort(self) -> None:
        """End it now."""
        if self.ended.is_set():
            return
        self._closing = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        self.ended.set()
        self._on_lost(self.number)
        self._receiver.lost(self.flow)
