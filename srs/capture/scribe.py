"""What is said in a session is written into its capture: now, soon, or by the process that comes after this one."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final

import structlog

from srs.capture.call import Answered, Call
from srs.capture.custody import Custody
from srs.capture.health import Health
from srs.capture.writer import DiskHangs, Writer
from srs.sip.flow import Flow
from srs.sip.message import Request, Response, parse

log = structlog.get_logger()

TRUSTED_S: Final = 1.0
"""A disk that took the beginning of a call so long ago is trusted with that of another."""
MOST_BEHIND: Final = 3
"""What may wait for such a disk."""
SOON_S: Final = 0.05
"""What no answer waits for is written so long afterwards, together with what comes meanwhile."""

Begun = Callable[[Call, bool], None]


class Scribe:
    """Has a thread write, and knows which messages may wait because the keeper has them too."""

    def __init__(self, custody: Custody, health: Health) -> None:
        self._custody = custody
        self._health = health
        self._writer = Writer()
        self._waiting: dict[str, Call] = {}
        """Calls with messages that are to be written soon."""
        self._trusted_until = 0.0

    # Messages

    def begin(self, call: Call, begun: Begun) -> None:
        """Have the capture of a call made, with what was noted so far; `begun` is told whether the disk took it."""
        loop = asyncio.get_running_loop()

        def write() -> None:
            failures = _flush([call])
            with suppress(RuntimeError):  # the loop has ended: a successor looks what is there
                loop.call_soon_threadsafe(self._began, call, failures, begun)

        self._writer.later(write)

    def _began(self, call: Call, failures: Sequence[tuple[Call, OSError]], begun: Begun) -> None:
        self._trusted_until = time.monotonic() + TRUSTED_S
        for _, error in failures:
            self._failed(call, error)
        begun(call, not failures)

    @property
    def is_trusted(self) -> bool:
        """Whether a call can be accepted before its capture is made: the disk is at it, and has just done the same."""
        return time.monotonic() < self._trusted_until and self._writer.behind <= MOST_BEHIND

    def ensure_begun(self, call: Call) -> None:
        """
        Raises:
            OSError: the disk does not take it.
        """
        if not call.is_begun:
            self._writer.do(call.flush)

    def note(
        self, call: Call, message: Request | Response, data: bytes, flow: Flow, time_ns: int, *, sent: bool
    ) -> None:
        """Keep a message. A final answer of ours is written when this returns, with what was noted before, unless the
        keeper has it; all else soon."""
        call.note(message, data, flow, time_ns, sent=sent)
        if not sent or isinstance(message, Request) or message.code < 200 or data == call.entrusted:
            self._write_soon(call)
        else:
            self._write_now(call)

    def remark(self, call: Call, event: str) -> None:
        """Keep what the recorder did of its own accord.

        Raises:
            OSError: the disk did not take it yet; it is tried again.
        """
        call.remark(event)
        self._writer.do(call.flush)

    def settle(self, call: Call) -> None:
        """Have written what the keeper has of a session, before it is told what takes the place of that."""
        if not call.is_settled:
            self._write_now(call)

    def go_on(self, call: Call, answered: Answered) -> None:
        """Write what the keeper has of a session, if a predecessor died before it did."""
        request, ok = parse(answered.request), parse(answered.ok)
        if not call.has(request, answered.request):
            call.note(request, answered.request, answered.flow, answered.time_ns, sent=False)
        if not call.has(ok, answered.ok):
            call.note(ok, answered.ok, answered.flow, answered.time_ns, sent=True)
        self._write_soon(call)

    def _write_now(self, call: Call) -> None:
        try:
            self._writer.do(call.flush)
        except OSError as error:
            self._failed(call, error)

    def _write_soon(self, call: Call) -> None:
        """Together with what comes meanwhile: to wake the thread costs more than to write."""
        if not self._waiting:
            asyncio.get_running_loop().call_later(SOON_S, self._write_waiting)
        self._waiting[call.call_id] = call

    def _write_waiting(self) -> None:
        calls = self._take_waiting()
        loop = asyncio.get_running_loop()
        self._writer.later(lambda: loop.call_soon_threadsafe(self._wrote, calls, _flush(calls)))

    def _take_waiting(self) -> list[Call]:
        calls, self._waiting = list(self._waiting.values()), {}
        return calls

    def _wrote(self, calls: Iterable[Call], failures: Iterable[tuple[Call, OSError]]) -> None:
        """Tell what the disk did not take, and the keeper of the ACKs that are written."""
        for call, error in failures:
            self._failed(call, error)
        news = [call for call in calls if call.ack_is_news and call.accepted is None and call.is_settled]
        for call in news:
            call.ack_is_news = False
        if news:
            self._custody.acknowledged([call.recording for call in news])

    def _failed(self, call: Call, error: OSError) -> None:
        self._trusted_until = 0.0
        log.error("capture not written", recording=call.recording, call_id=call.call_id, error=str(error))
        self._health.write_failed(f"{error.strerror}", time.monotonic())

    # Ends

    def write_all(self) -> None:
        """Write what was to be written soon: this process leaves its sessions to another."""
        calls = self._take_waiting()
        with suppress(DiskHangs):
            self._writer.do(lambda: _flush(calls))
            self._wrote(calls, ())

    def ensure_written(self, call: Call) -> None:
        """
        Raises:
            OSError: the disk does not take all SIP of a call.
        """
        if call.unwritten:
            self._writer.do(call.flush)

    def close(self, call: Call) -> None:
        """Close the capture of a call behind all that was asked for."""
        self._writer.later(call.close)

    def discard(self, call: Call) -> None:
        """Remove the capture of a call that was refused."""
        self._waiting.pop(call.call_id, None)
        try:
            self._writer.do(call.discard)
        except DiskHangs:
            self._writer.later(call.discard)


def _flush(calls: Iterable[Call]) -> list[tuple[Call, OSError]]:
    """Write what is to be written of some calls; returns where the disk did not take it, which is tried again later."""
    failures = []
    for call in calls:
        try:
            call.flush()
        except OSError as error:
            failures.append((call, error))
    return failures
