"""A capture worker: drains the sockets it was given into the capture files, and waits for nothing else.

The kernel's socket buffers are the jitter buffer: they hold seconds of a stream, so a turn every half second is enough,
and the longer the pause the less a packet costs.
"""

import argparse
import contextlib
import os
import secrets
import select
import signal
import socket
import time
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import structlog

from rtp.append import append
from rtp.batch import octets
from rtp.port import Port
from rtp.receive import MOST_SLOTS, Drained, Receiver, Tap
from srs import log
from srs.capture import events
from srs.capture.channel import Channel, ChannelClosed, Message
from srs.capture.descriptors import make_room
from srs.capture.memory import VERSIONS, attach
from srs.capture.priority import prefer_recording
from srs.capture.reports import Reports
from srs.siprec import operator

logger = structlog.get_logger()

INTERVAL_S = 0.5
LEAST_PAUSE_S = 0.05
STATUS_S = 1.0
SILENT_S = 3.0
"""Without a packet; less is not told."""
NEVER = (1 << 63) - 1
MOST_SILENT = 2000
"""Sessions told of in one message: when nothing comes for more, the calls are not what is wrong."""


@dataclass
class Captured:
    """One recording session, as far as a capture worker knows it."""

    recording: str
    call_id: str
    tap: Tap
    since_ns: int
    """What came before to ports that it got last is not its own; UTC."""
    missing: int = 0
    """Records that the disk did not take."""
    cname: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    """Ours in RTCP (RFC 7022 §4.2)."""
    reports: list[Reports] = field(default_factory=list)
    """Of each stream."""
    heard: dict[int, tuple[int, float]] = field(default_factory=dict)
    """RTP port to its packets when it was last looked at, and since when they are so many."""
    pauses: list[tuple[int, int | None]] = field(default_factory=list)
    """By operators: since when and until when, UTC in nanoseconds; None: it goes on."""
    notes: list[bytes] = field(default_factory=list)
    """Records of events that it did not take yet: without them nobody would know that something is missing."""

    @property
    def packets(self) -> int:
        return sum(port.packets for port in self.tap.ports)

    @property
    def dropped(self) -> int:
        return sum(port.dropped for port in self.tap.ports)

    def silences(self, now: float) -> dict[int, float]:
        """Silent RTP ports, and for how many seconds; RTP and RTCP ports alternate."""
        silent = {}
        for port in self.tap.ports[::2]:
            before, since = self.heard.get(port.port, (-1, now))
            if port.packets != before:
                self.heard[port.port] = port.packets, now
            elif now - since >= SILENT_S:
                silent[port.port] = round(now - since, 1)
        return silent

    @property
    def is_paused(self) -> bool:
        return bool(self.pauses) and self.pauses[-1][1] is None

    def turn(self, now_ns: int) -> None:
        """Pause, or go on after a pause."""
        if self.is_paused:
            self.pauses[-1] = self.pauses[-1][0], now_ns
        else:
            self.pauses.append((now_ns, None))

    def sort_out(self) -> None:
        """Of what came before a port was its own or a turn was heard of, the time tells what is kept."""
        paused = ((since, NEVER if until is None else until) for since, until in self.pauses)
        self.tap.pauses = [(0, self.since_ns), *paused]

    def settle(self) -> None:
        """From now on all is kept or nothing, whatever becomes of the clock."""
        self.tap.pauses = [(0, NEVER)] if self.is_paused else []

    def note(self, event: str, time_ns: int | None = None) -> None:
        """Have an event written into the capture."""
        self.notes.append(events.info_record(self.call_id, event, time_ns))

    def flush(self) -> bool:
        """Write the notes; tell whether the disk took them."""
        try:
            while self.notes:
                append(self.tap.capture, self.notes[0])
                del self.notes[0]
        except OSError:
            return False
        return True

    def close_ports(self) -> None:
        for port in self.tap.ports:
            port.socket.close()


@dataclass
class Status:
    """What a worker tells of itself: see `health.Report`."""

    lag_s: float = 0.0
    packets: int = 0
    octets: int = 0
    dropped: int = 0
    unwritten: int = 0
    error: str | None = None


class Worker:
    """Hears the keeper between the turns."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._receiver: Receiver | None = None
        """From `begin` on: before, not all is known that a predecessor had."""
        self._memory: dict[int, memoryview] = {}
        self._sessions: dict[str, Captured] = {}
        self._by_tap: dict[int, Captured] = {}
        self._new: list[Captured] = []
        """With ports that were not drained yet."""
        self._reports: dict[Port, Reports] = {}
        self._closing: list[tuple[Captured, int]] = []
        """Ended, with what the kernel dropped; their last words wait for the disk."""
        self._status = Status()
        self._status_due = 0.0
        self._dropped_before = 0
        """By the kernel, in sessions that have ended."""
        self._stopping = self._leaving = False

    def run(self) -> None:
        """Until the keeper says stop or is gone; what waits in the sockets then is still captured."""
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        due = time.monotonic()
        try:
            while not self._stopping:
                pause = max(0.0, due - time.monotonic())
                if poll.poll(1000 * pause):
                    self._listen()
                elif not self._stopping and self._receiver is not None:
                    self._drain(list(self._sessions.values()))
                    self._tell(time.monotonic() - due)
                    due = max(due + INTERVAL_S, time.monotonic() + LEAST_PAUSE_S)
                elif not self._stopping:
                    due = time.monotonic() + LEAST_PAUSE_S
        except ChannelClosed:
            logger.warning("the keeper is gone", sessions=len(self._sessions))
        if self._leaving:  # the keeper and the kernel hold everything for the successor
            return
        self._stopping = True
        with contextlib.suppress(ChannelClosed):
            self._finish()
        for captured in list(self._sessions.values()):
            with contextlib.suppress(ChannelClosed):
                self._close(captured)

    def _tell(self, lag_s: float) -> None:
        """After a turn: now and then the state of this worker goes to whoever admits calls."""
        self._finish()
        for captured in self._sessions.values():
            if captured.notes:
                captured.flush()
        self._status.lag_s = max(self._status.lag_s, lag_s)
        if time.monotonic() < self._status_due:
            return
        self._status_due = time.monotonic() + STATUS_S
        self._status.dropped = self._dropped_before + sum(captured.dropped for captured in self._sessions.values())
        self._channel.send({"do": "status", **asdict(self._status), "silent": self._silences(time.monotonic())})
        self._status.lag_s, self._status.error = 0.0, None

    def _silences(self, now: float) -> dict[str, dict[int, float]]:
        """Sessions to their silent RTP ports and for how many seconds nothing has come there."""
        found = ((captured.recording, captured.silences(now)) for captured in self._sessions.values())
        return dict(islice(((recording, ports) for recording, ports in found if ports), MOST_SILENT))

    def _listen(self) -> None:
        while received := self._channel.receive():
            message, descriptors = received
            match message["do"]:
                case "open":
                    self._open(message, [socket.socket(fileno=descriptor) for descriptor in descriptors])
                case "keys":
                    self._protect(message)
                case "close":
                    self._end(message["id"])
                case "pause" | "resume":
                    self._operate(message)
                case "pauses":
                    if captured := self._sessions.get(message["id"]):
                        captured.pauses = [(since, until) for since, until in message["pauses"]]
                case "memory":
                    self._memory = attach(descriptors, [octets(version, MOST_SLOTS) for version in VERSIONS])
                case "begin":
                    self._begin()
                case "leave":
                    self._stopping = self._leaving = True
                case "stop":
                    self._stopping = True

    def _begin(self) -> None:
        """All is known that a predecessor had: first what it had read and not yet written."""
        self._receiver = Receiver(memory=self._memory)
        for captured in self._sessions.values():
            captured.sort_out()
        recovered = self._note_failures(self._receiver.recover([captured.tap for captured in self._sessions.values()]))
        for captured in self._sessions.values():
            captured.settle()
        if recovered.packets:
            logger.warning("batch of a process that died written out", packets=recovered.packets)

    def _open(self, message: Message, sockets: list[socket.socket]) -> None:
        """More sockets of a session, which may be a new one."""
        captured = self._sessions.get(message["id"])
        if captured is None:
            try:
                capture = os.open(message["path"], os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            except OSError as error:
                logger.error("capture cannot be opened", recording=message["id"], reason=str(error))
                return
            captured = Captured(message["id"], message["call_id"], Tap(capture), message["since"])
            self._sessions[captured.recording] = self._by_tap[id(captured.tap)] = captured
        else:
            self._drain([captured])  # what waits in the ports that it has is its own
            captured.since_ns = message["since"]
        captured.sort_out()
        self._new.append(captured)
        ports = [
            Port(sock, message["address"], number) for sock, number in zip(sockets, message["numbers"], strict=True)
        ]
        captured.tap.ports += ports
        for rtp, control in zip(ports[::2], ports[1::2], strict=True):  # RTP and RTCP ports alternate
            reports = Reports(rtp, control, captured.cname, time.monotonic())
            self._reports[rtp] = self._reports[control] = reports
            captured.reports.append(reports)

    def _protect(self, message: Message) -> None:
        """The RTCP of a session is SRTCP since a moment, or no longer."""
        from srs.capture import keys  # here: ciphers take a while, and most calls need none

        captured, agreed = self._sessions.get(message["id"]), keys.load(message["ports"])
        for reports in captured.reports if captured else ():
            if (found := agreed.get(reports.port)) is not None:
                reports.protect(found, message["at"])

    def _operate(self, order: Message) -> None:
        """Keep nothing of a session from now on, or everything again; then tell that it is so.

        An order that a predecessor died over holds since it was given.
        """
        captured = self._sessions.get(order["id"])
        if captured is None:
            return
        if captured.is_paused != (order["do"] == operator.PAUSE):
            now_ns = order["at"] if self._receiver is None else time.time_ns()
            captured.turn(now_ns)
            captured.note(str(operator.Note(order["do"], order["by"])), now_ns)
            if self._receiver is not None:
                captured.sort_out()
                self._drain([captured])
                captured.settle()
            captured.flush()
        self._channel.send({"do": "pauses", "id": captured.recording, "pauses": captured.pauses})

    def _end(self, recording: str) -> None:
        captured = self._sessions.get(recording)
        if captured is None:
            self._channel.send({"do": "closed", "id": recording, "packets": 0, "dropped": 0})
        else:
            self._close(captured)

    def _close(self, captured: Captured) -> None:
        """Drain a session a last time and let go of it, as soon as the disk has all that is to be said of it."""
        self._drain([captured])
        dropped = captured.dropped
        self._note_troubles(captured)
        for reports in captured.reports:
            reports.leave()
        for port in captured.tap.ports:
            del self._reports[port]
        captured.close_ports()
        del self._sessions[captured.recording]
        del self._by_tap[id(captured.tap)]
        self._dropped_before += dropped
        self._closing.append((captured, dropped))
        self._finish()

    def _finish(self) -> None:
        """Hand over the captures that are complete."""
        for captured, dropped in list(self._closing):
            if captured.flush() or self._stopping:
                os.close(captured.tap.capture)
                self._closing.remove((captured, dropped))
                self._channel.send(
                    {"do": "closed", "id": captured.recording, "packets": captured.packets, "dropped": dropped}
                )

    def _drain(self, sessions: list[Captured]) -> Drained:
        if self._receiver is None:
            return Drained(0, 0, ())
        now = time.monotonic()
        due = [reports for captured in sessions for reports in captured.reports if now >= reports.due]
        for reports in due:
            reports.prepare()
        drained = self._note_failures(self._receiver.drain([captured.tap for captured in sessions]))
        for shown in drained.shown:
            self._reports[shown.port].see(shown)
        if self._new:
            self._settle(sessions)
        for reports in due:
            reports.send(now, time.time_ns())
        return drained

    def _settle(self, drained: list[Captured]) -> None:
        """What came to new ports before they were a session's has been left out."""
        taken = {id(captured) for captured in drained}
        for captured in self._new:
            if id(captured) in taken:
                captured.settle()
        self._new = [captured for captured in self._new if id(captured) not in taken]

    def _note_failures(self, drained: Drained) -> Drained:
        for failure in drained.failures:
            captured = self._by_tap[id(failure.tap)]
            first = captured.missing == 0
            captured.missing += failure.records
            self._status.unwritten += failure.records
            if failure.port is None:
                self._status.error = failure.error.strerror
            if not first:  # once a call is enough: a full disk would fill the log too
                continue
            port = failure.port and failure.port.port
            logger.error(
                "capture not written" if failure.port is None else "port not read",
                recording=captured.recording,
                call_id=captured.call_id,
                records=failure.records,
                port=port,
                reason=str(failure.error),
            )
        self._status.packets += drained.packets
        self._status.octets += drained.octets
        return drained

    def _note_troubles(self, captured: Captured) -> None:
        """Write into the capture what is missing in it."""
        for port in captured.tap.ports:
            if dropped := port.dropped:
                captured.note(f"kernel-drops;port={port.port};count={dropped}")
                logger.error(
                    "kernel dropped datagrams: see srs doctor",
                    recording=captured.recording,
                    call_id=captured.call_id,
                    port=port.port,
                    count=dropped,
                )
        if captured.missing:
            captured.note(f"write-failed;records={captured.missing}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="srs.capture.worker")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--channel", type=int, required=True)
    arguments = parser.parse_args()
    log.configure()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prefer_recording()
    make_room(arguments.channel)
    Worker(Channel(socket.socket(fileno=arguments.channel))).run()


if __name__ == "__main__":
    main()
