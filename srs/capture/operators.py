"""Orders of operators for calls under way, at the control socket (`srs.control`): pause, resume, stop, purpose."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import structlog

from srs import control
from srs.capture.call import Call
from srs.capture.channel import Message
from srs.capture.custody import Custody
from srs.capture.sessions import Sessions
from srs.siprec import operator
from srs.siprec.headers import FAR

log = structlog.get_logger()

HEAR_S: Final = 5.0
CONFIRM_S: Final = 10.0
"""So long a capture worker, or its successor, may take to say that it does as told."""


class NotDone(Exception):
    """The text says why."""


class Operators:
    """Carries out what is ordered; a pause is confirmed only when nothing that comes is kept any more."""

    def __init__(self, sessions: Sessions, custody: Custody, hang_up: Callable[[Call, str], Awaitable[None]]) -> None:
        self._sessions, self._custody, self._hang_up = sessions, custody, hang_up
        self._server: asyncio.Server | None = None
        """Kept: uvloop lets go of one that nobody holds."""
        self._told = asyncio.Event()
        """Set, and replaced, when a worker has told of pauses."""

    async def serve(self, listener: socket.socket) -> None:
        """Hear orders from now on."""
        self._server = await asyncio.start_unix_server(self._on_client, sock=listener, limit=control.LARGEST)

    def on_pauses(self, message: Message) -> None:
        """A worker has told the pauses of a session, the last of which may go on."""
        for call in self._calls(message["id"]):
            if call.recording == message["id"]:
                call.paused = bool(message["pauses"]) and message["pauses"][-1][1] is None
        self._told.set()
        self._told = asyncio.Event()

    async def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, ValueError):  # whoever asked is gone, or is no client of ours
            line = await asyncio.wait_for(reader.readline(), HEAR_S)
            answer = await self._answer(control.Order(**json.loads(line)))
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _answer(self, order: control.Order) -> dict[str, object]:
        try:
            await self._carry_out(order)
        except NotDone as error:
            log.warning(
                "order not carried out", act=order.act, recording=order.recording, by=order.by, reason=f"{error}"
            )
            return {"error": str(error)}
        log.info("order carried out", act=order.act, recording=order.recording, by=order.by)
        return {"done": order.act}

    async def _carry_out(self, order: control.Order) -> None:
        calls = self._calls(order.recording)
        if not calls:
            raise NotDone("the call is over")
        if order.act in (operator.PAUSE, operator.RESUME):
            await self._pause(calls, order)
            return
        for call in calls:
            self._remark(call, order)
        if order.act == operator.STOP:
            await asyncio.gather(*(self._hang_up(call, "stopped by an operator") for call in calls))

    async def _pause(self, calls: list[Call], order: control.Order) -> None:
        wanted = order.act == operator.PAUSE
        for call in calls:
            if call.paused != wanted:
                self._custody.order(order.act, call.recording, order.by)
        try:
            async with asyncio.timeout(CONFIRM_S):
                while any(call.paused != wanted for call in calls):
                    await self._told.wait()
        except TimeoutError as error:
            raise NotDone(f"not confirmed within {CONFIRM_S:.0f} s: look whether it was done") from error

    def _remark(self, call: Call, order: control.Order) -> None:
        if order.act not in operator.ACTS:
            raise NotDone(f"there is no {order.act}")
        try:
            self._sessions.scribe.remark(call, str(operator.Note(order.act, order.by, order.purpose)))
        except OSError as error:
            raise NotDone(f"the capture cannot be written: {error.strerror}") from error

    def _calls(self, recording: str) -> list[Call]:
        """Both sessions of a call that a phone forks as two."""
        return [call for call in self._sessions if call.recording in (recording, recording + FAR)]
