"""The media of our SRC: RTP of many legs, each packet at its time, from one timer."""

import asyncio
import heapq
import itertools
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from rtp.send import Departures, Impairment, Stream, departures
from srs.siprec.sdes import Crypto

FRAME_S = 0.02


@dataclass(slots=True)
class Leg:
    """One stream under way."""

    socket: socket.socket
    stream: Stream
    plan: Departures
    start: float = 0.0
    """Monotonic time of the first packet."""
    sent: int = field(default=0)
    """Packets handed to the network."""
    key: Crypto | None = None
    """Of SRTP, as it was offered."""
    protect: Callable[[bytes], bytes] = bytes
    """Makes SRTP of RTP."""

    def next_due(self) -> float | None:
        """When the next packet leaves; None after the last."""
        return self.start + float(self.plan.tick[self.sent]) * FRAME_S if self.sent < len(self.plan.tick) else None

    def send_next(self) -> None:
        index = int(self.plan.packet[self.sent])
        self.sent += 1
        try:
            self.socket.send(self.protect(self.stream.packet(index)))
        except (BlockingIOError, ConnectionRefusedError):
            return  # a full buffer or an ICMP answer: lost, as on any network


def plan(duration_s: float, impairment: Impairment) -> Departures:
    """The departures of a leg that lasts so long."""
    return departures(round(duration_s / FRAME_S), impairment)


class Metronome:
    """Sends the packets of all legs when they are due."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Leg]] = []
        self._order = itertools.count()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, leg: Leg) -> None:
        """Send the leg's packets from now on."""
        leg.start = self._loop.time()
        self._push(leg)
        self._arm()

    def stop(self, leg: Leg) -> None:
        """Send no more of it."""
        leg.plan = Departures(leg.plan.packet[: leg.sent], leg.plan.tick[: leg.sent])

    def _push(self, leg: Leg) -> None:
        due = leg.next_due()
        if due is not None:
            heapq.heappush(self._due, (due, next(self._order), leg))

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due[0][0], self._tick) if self._due else None

    def _tick(self) -> None:
        now = self._loop.time()
        while self._due and self._due[0][0] <= now:
            _, _, leg = heapq.heappop(self._due)
            if leg.next_due() is not None:
                leg.send_next()
                self._push(leg)
        self._arm()
