"""Signalling's side of the keeper: port pairs, checkpoints, ends of sessions."""

import asyncio
import itertools
import socket
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from srs.capture.admission import RETRY_AFTER_S, Refusal
from srs.capture.channel import Channel, ChannelClosed, Message, TooLarge

log = structlog.get_logger()


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
        self._spare: dict[str, deque[int]] = {}
        """RTP ports of pairs that the keeper has bound and no session has, by address."""
        self._posted: list[Message] = []
        """Messages that go with the next one."""
        self._asked: dict[int, asyncio.Future[list[int]]] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._channel.fileno(), self._read)
        self.gone = self._loop.create_future()
        """Done when the keeper is no more."""

    def take(self, recording: str, call_id: str, address: str, since_ns: int, pairs: int) -> list[int] | None:
        """Take spare port pairs for a session; what comes waits there until `capture`.

        Args:
            since_ns: what came to them before is not the session's, UTC.

        Returns:
            The RTP ports; None: there are not so many, `bind` must do.
        """
        spare = self._spare.get(address, deque())
        if pairs > len(spare):
            return None
        ports = [spare.popleft() for _ in range(pairs)]
        self._post({**_session(recording, call_id, address, since_ns), "ports": ports, "invite": None})
        return ports

    def bind(
        self, recording: str, call_id: str, address: str, since_ns: int, pairs: int, invite: Message | None
    ) -> asyncio.Future[list[int]]:
        """Have port pairs bound for a session, as `take`. Answers come in order.

        Args:
            invite: which asks for them; a successor of this process hears it if it was not answered.

        Returns:
            The RTP ports, or Refusal.
        """
        number = next(self._numbers)
        ask = {**_session(recording, call_id, address, since_ns), "re": number, "pairs": pairs}
        answer = self._asked[number] = self._loop.create_future()
        try:
            self._send({**ask, "invite": invite})
        except TooLarge:  # the client's retransmission must do
            self._send({**ask, "invite": None})
        return answer

    def capture(self, recording: str) -> None:
        """The capture file is there: have all written into it that comes to the ports bound. It is told with the
        checkpoint that follows, or else by itself."""
        self._post({"do": "capture", "id": recording})

    def _post(self, message: Message) -> None:
        if not self._posted:
            self._loop.call_soon(self._send_posted)
        self._posted.append(message)

    def _send_posted(self) -> None:
        posted, self._posted = self._posted, []
        for message in posted:
            self._send(message)

    def checkpoint(self, recording: str, state: Message) -> bool:
        """Leave what a successor of this process needs to go on with the session; returns whether it is held."""
        try:
            self._send({"do": "checkpoint", "id": recording, "state": state})
        except TooLarge as error:
            log.warning("checkpoint too large: a restart loses this dialog", recording=recording, size=str(error))
            return False
        return True

    def acknowledged(self, recordings: Sequence[str]) -> None:
        """ACKs have come and are written: no successor of this process need send the 200 again."""
        self._send({"do": "acknowledged", "ids": recordings})

    def ended(self, recording: str, bye: Message | None) -> None:
        """The BYE is answered: a successor of this process ends the session, and writes `bye` if we did not."""
        self._send({"do": "ended", "id": recording, "bye": bye})

    def protect(self, recording: str, keys: Message) -> None:
        """Have the RTCP of a session protected as was agreed; see `srs.capture.keys`."""
        self._send({"do": "keys", "id": recording, "ports": keys})

    def order(self, act: str, recording: str, by: str) -> None:
        """Have a worker pause or resume a session; `pauses` comes when it does."""
        self._send({"do": act, "id": recording, "by": by})

    def ready(self) -> None:
        """The SIP sockets are served."""
        self._send({"do": "ready"})

    def drop(self, number: int) -> None:
        """A client's connection has ended."""
        if not self.leaving:
            self._send({"do": "drop", "connection": number})

    def close(self, recording: str) -> None:
        """The session has ended: drain its sockets a last time, hand the capture to the archive."""
        self._send({"do": "close", "id": recording})

    def _send(self, message: Message) -> None:
        posted, self._posted = self._posted, []
        try:
            self._channel.send({**message, "before": posted} if posted else message)
        except TooLarge:
            for each in posted:
                self._send(each)
            raise
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

    def _read(self) -> None:
        try:
            while received := self._channel.receive():
                message, descriptors = received
                if "re" in message:
                    self._answered(self._asked.pop(message["re"]), message)
                elif message["do"] == "spare":
                    self._spare.setdefault(message["address"], deque()).extend(message["ports"])
                else:
                    self._on_message(message, descriptors)
        except ChannelClosed:
            self._lost()

    def _answered(self, asked: asyncio.Future[list[int]], message: Message) -> None:
        if asked.cancelled():
            return
        if "error" in message:
            asked.set_exception(Refusal(503, f"cannot record: {message['error']}", RETRY_AFTER_S))
        else:
            asked.set_result(message["ports"])

    def _lost(self) -> None:
        self._loop.remove_reader(self._channel.fileno())
        if not self.gone.done():
            self.gone.set_result(None)


def _session(recording: str, call_id: str, address: str, since_ns: int) -> Message:
    return {"do": "open", "id": recording, "call_id": call_id, "address": address, "since": since_ns}
