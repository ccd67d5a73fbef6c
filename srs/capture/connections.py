"""The keeper's hold on clients' SIP connections over TCP: accepted here, so that none ends when signalling does.

TLS connections are not among them: their keys are in signalling, and die with it. The client sees the end at once.
"""

import itertools
import os
import socket
from collections.abc import Sequence

import structlog

from srs.capture.children import Child

log = structlog.get_logger()

BACKLOG = 1024
"""Connections that wait to be accepted."""
PAUSE_S = 1.0
"""Without accepting, when there was no descriptor left for a connection."""


class Connections:
    """Each is handed to signalling, whose duplicate is the one that is read and written."""

    def __init__(self, listeners: Sequence[socket.socket]) -> None:
        """
        Args:
            listeners: bound TCP sockets.
        """
        self.listeners = listeners
        self._numbers = itertools.count(1)
        self._held: dict[int, int] = {}
        """Numbers to descriptors."""
        for listener in listeners:
            listener.setblocking(False)
            listener.listen(BACKLOG)

    def accept(self, listener: socket.socket, signalling: Child) -> bool:
        """Take up a client that waits; tell whether there was room for it."""
        try:
            client, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return True
        except OSError as error:
            log.error("SIP connection not accepted", reason=error.strerror)
            return False
        number = next(self._numbers)
        self._held[number] = client.detach()
        self._hand_over(number, signalling)
        return True

    def hand_over(self, signalling: Child) -> None:
        """Give all to a new process."""
        for number in self._held:
            self._hand_over(number, signalling)

    def _hand_over(self, number: int, signalling: Child) -> None:
        signalling.send({"do": "connection", "connection": number}, [self._held[number]])

    def drop(self, number: int) -> None:
        """One has ended."""
        if (descriptor := self._held.pop(number, None)) is not None:
            os.close(descriptor)
