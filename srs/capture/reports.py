"""RTCP of one recorded stream: when a receiver report is due, and what it says (RFC 3550 §6.2, RFC 7866 §8.1.1)."""

import random
import socket
from collections.abc import Callable
from contextlib import suppress

from rtp import rtcp
from rtp.port import Port
from rtp.receive import Shown
from rtp.reception import Reception, read

INTERVAL_S = 5.0
"""Between reports on average; each pause is 0.5 to 1.5 times as long, the first half."""
LOOKED_AT = 16
"""Packets that a report looks at."""


class Reports:
    """Sends from the RTCP socket of a stream; never RTP, which some clients would take for a second party."""

    def __init__(
        self, rtp: Port, control: Port, cname: str, now: float, draw: Callable[[], float] = random.random
    ) -> None:
        """
        Args:
            now: monotonic seconds.
            draw: a random number, 0–1.
        """
        self.reception = Reception()
        self._rtp, self._control, self._cname, self._draw = rtp, control, cname, draw
        self._ssrc = int(draw() * 0xFFFFFFFF)
        self.due = now + self._pause() / 2
        self._told = False
        control.wanted = LOOKED_AT

    def prepare(self) -> None:
        """Before the turn in which a report is due: have the last packets shown."""
        self._rtp.wanted = LOOKED_AT

    def see(self, shown: Shown) -> None:
        """The last records that came at one of the two ports."""
        seen = [read(record) for record in shown.records]
        if shown.port is self._rtp:
            self.reception.on_rtp(seen, shown.packets)
            return
        for each in seen:
            self.reception.on_rtcp(each)

    def send(self, now: float, time_ns: int) -> None:
        """After that turn: send the report, if there is somebody to send it to."""
        self._rtp.wanted = 0
        self.due = now + self._pause()
        if block := self.reception.report(time_ns):
            self._send(rtcp.report(self._ssrc, self._cname, [block]))
            self._told = True

    def leave(self) -> None:
        """The stream is over: say so to those who have heard of us."""
        if self._told:
            self._send(rtcp.goodbye(self._ssrc, self._cname))

    def _send(self, packet: bytes) -> None:
        if target := self.reception.reports_to:
            with suppress(OSError):  # no way there: reports are a courtesy
                self._control.socket.sendto(packet, socket.MSG_DONTWAIT, target)

    def _pause(self) -> float:
        return INTERVAL_S * (0.5 + self._draw())
