"""Signalling's side of the keeper: port pairs, checkpoints, ends of sessions."""

import asyncio
import base64
import itertools
import os
import socket
from collections.abc import Callable

import structlog

from srs.capture.channel import Channel, ChannelClosed, Message, TooLarge

log = structlog.get_logger()

LARGEST_PARTIAL = 128 << 10
"""Octets that came on a connection; what is more is lost with the process."""


class PortsRefused(Exception):
    """The keeper could not bind what a call needs; the text says why."""


class Custody:
    """Asks the keeper and hears from it, on the running event loop."""

    def __init__(self, end: socket.socket, on_message: Callable[[Message, list[int]], None]) -> None:
        """
        Args:
            on_message: called with what the keeper says of its own accord, and the descriptors that came along.
        """
        self._channel = Channel(end)
        self._on_message = on_message
        self._numbers = itertools.count()
        self.leaving = False
        """A successor goes on with all: connections that close now are not to be dropped."""
        self._copies: list[int] = []
        """Descriptors that wait in the backlog."""
        self._asked: dict[int, asyncio.Future[Message]] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._channel.fileno(), self._read)
        self.gone = self._loop.create_future()
        """Done when the keeper is no more."""

    async def bind(
        self, recording: str, call_id: str, address: str, pairs: int, invite: Message | None = None
    ) -> list[int]:
        """Have port pairs bound for a session; their packets are captured from then on. Returns the RTP ports.

        Args:
            invite: what the session begins with; a successor of this process hears it if it was not answered.

        Raises:
            PortsRefused: with the reason.
        """
        number = next(self._numbers)
        answer: asyncio.Future[Message] = self._loop.create_future()
        self._asked[number] = answer
        ask = {"do": "open", "re": number, "id": recording, "call_id": call_id, "address": address, "pairs": pairs}
        try:
            self._send({**ask, "invite": invite} if invite else ask)
        except TooLarge:  # the client's retransmission must do
            self._send(ask)
        reply = await answer
        if "error" in reply:
            raise PortsRefused(reply["error"])
        return list(reply["ports"])

    def checkpoint(self, recording: str, state: Message) -> None:
        """Leave what a successor of this process needs to go on with the session."""
        try:
            self._send({"do": "checkpoint", "id": recording, "state": state})
        except TooLarge as error:
            log.warning("checkpoint too large: a restart loses this dialog", recording=recording, size=str(error))

    def ready(self) -> None:
        """The SIP sockets are served."""
        self._send({"do": "ready"})

    # As holder of connections

    def hold(self, number: int, descriptor: int) -> None:
        copy = os.dup(descriptor)
        self._send({"do": "hold", "connection": number}, [copy])
        if self._channel.backlog:
            self._copies.append(copy)
        else:
            os.close(copy)

    def partial(self, number: int, data: bytes) -> None:
        kept = data if len(data) <= LARGEST_PARTIAL else b""
        self._send({"do": "partial", "connection": number, "data": base64.b64encode(kept).decode()})

    def drop(self, number: int) -> None:
        if not self.leaving:
            self._send({"do": "drop", "connection": number})

    def close(self, recording: str) -> None:
        """The session has ended: drain its sockets a last time, hand the capture to the archive."""
        self._send({"do": "close", "id": recording})

    def _send(self, message: Message, descriptors: list[int] | None = None) -> None:
        try:
            self._channel.send(message, descriptors or [])
        except ChannelClosed:
            self._lost()
            return
        if self._channel.backlog:
            self._loop.add_writer(self._channel.fileno(), self._flush)

    def _flush(self) -> None:
        try:
            self._channel.flush()
        except ChannelClosed:
            self._lost()
        if not self._channel.backlog:
            self._loop.remove_writer(self._channel.fileno())
            while self._copies:
                os.close(self._copies.pop())

    def _read(self) -> None:
        try:
            while received := self._channel.receive():
                message, descriptors = received
                if "re" in message:
                    self._asked.pop(message["re"]).set_result(message)
                else:
                    self._on_message(message, descriptors)
        except ChannelClosed:
            self._lost()

    def _lost(self) -> None:
        self._loop.remove_reader(self._channel.fileno())
        if not self.gone.done():
            self.gone.set_result(None)
