"""RTCP of one recorded stream: when a receiver report is due, and what it says (RFC 3550 §6.2, RFC 7866 §8.1.1)."""

import random
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from rtp import rtcp
from rtp.port import Port
from rtp.receive import Shown
from rtp.reception import Reception, read

if TYPE_CHECKING:
    from rtp.srtp import Control
    from srs.capture.keys import Agreed

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
        self._srtcp: Control | None = None
        control.wanted = LOOKED_AT

    @property
    def port(self) -> int:
        """Of its RTP."""
        return self._rtp.port

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
            payload = self._srtcp.open(each.payload, each.time_ns) if self._srtcp else each.payload
            if payload is not None:
                self.reception.on_rtcp(replace(each, payload=payload))

    def protect(self, agreed: "Agreed", time_ns: int) -> None:
        """Offer and answer say what protects the RTCP of the stream, from a moment on (UTC in nanoseconds)."""
        from rtp.srtp import Control  # here: ciphers take a while, and most calls need none

        self._srtcp = self._srtcp or Control()
        self._srtcp.agree(agreed.ours, agreed.theirs, time_ns)

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
            packet = self._srtcp.seal(packet) if self._srtcp else packet
            with suppress(OSError):  # no way there: reports are a courtesy
                self._control.socket.sendto(packet, socket.MSG_DONTWAIT, target)

    def _pause(self) -> float:
        return INTERVAL_S * (0.5 + self._draw())
