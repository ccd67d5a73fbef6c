"""A capture worker: drains the sockets it was given into the capture files, and waits for nothing else.

The kernel's socket buffers are the jitter buffer: they hold seconds of a stream, so a turn every half second is enough,
and the longer the pause the less a packet costs.
"""

import argparse
import contextlib
import os
import select
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from rtp.port import Port
from rtp.receive import Drained, Receiver, Tap
from srs import log
from srs.capture import events
from srs.capture.channel import Channel, ChannelClosed, Message

logger = structlog.get_logger()

INTERVAL_S = 0.5
LEAST_PAUSE_S = 0.05


@dataclass
class Captured:
    """One recording session, as far as a capture worker knows it."""

    recording: str
    call_id: str
    tap: Tap
    missing: int = 0
    """Records that the disk did not take."""

    @property
    def packets(self) -> int:
        return sum(port.packets for port in self.tap.ports)

    @property
    def dropped(self) -> int:
        return sum(port.dropped for port in self.tap.ports)

    def note(self, event: str) -> None:
        """Write an event into the capture, if the disk takes it."""
        with contextlib.suppress(OSError):
            os.write(self.tap.capture, events.info_record(self.call_id, event))

    def close(self) -> None:
        for port in self.tap.ports:
            port.socket.close()
        os.close(self.tap.capture)


class Worker:
    """Hears the keeper between the turns."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._receiver = Receiver()
        self._sessions: dict[str, Captured] = {}
        self._by_tap: dict[int, Captured] = {}
        self._stopping = False

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
                elif not self._stopping:
                    self._drain(list(self._sessions.values()))
                    due = max(due + INTERVAL_S, time.monotonic() + LEAST_PAUSE_S)
        except ChannelClosed:
            logger.warning("the keeper is gone", sessions=len(self._sessions))
        for captured in list(self._sessions.values()):
            self._close(captured)

    def _listen(self) -> None:
        while received := self._channel.receive():
            message, descriptors = received
            match message["do"]:
                case "open":
                    self._open(message, [socket.socket(fileno=descriptor) for descriptor in descriptors])
                case "close":
                    self._end(message["id"])
                case "stop":
                    self._stopping = True

    def _open(self, message: Message, sockets: list[socket.socket]) -> None:
        """More sockets of a session, which may be a new one."""
        captured = self._sessions.get(message["id"])
        if captured is None:
            try:
                capture = os.open(message["path"], os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            except OSError as error:
                logger.error("capture cannot be opened", recording=message["id"], reason=str(error))
                return
            captured = Captured(message["id"], message["call_id"], Tap(capture))
            self._sessions[captured.recording] = self._by_tap[id(captured.tap)] = captured
        captured.tap.ports += [Port(sock, message["address"]) for sock in sockets]

    def _end(self, recording: str) -> None:
        captured = self._sessions.get(recording)
        packets, dropped = (captured.packets, captured.dropped) if captured else (0, 0)
        if captured:
            self._close(captured)
            packets = captured.packets
        self._channel.send({"do": "closed", "id": recording, "packets": packets, "dropped": dropped})

    def _close(self, captured: Captured) -> None:
        """Drain a session a last time and let go of it."""
        self._drain([captured])
        self._note_troubles(captured)
        captured.close()
        del self._sessions[captured.recording]
        del self._by_tap[id(captured.tap)]

    def _drain(self, sessions: list[Captured]) -> Drained:
        drained = self._receiver.drain([captured.tap for captured in sessions])
        for failure in drained.failures:
            captured = self._by_tap[id(failure.tap)]
            captured.missing += failure.records
            port = failure.port and failure.port.port
            logger.error(
                "capture not written" if failure.port is None else "port not read",
                recording=captured.recording,
                call_id=captured.call_id,
                records=failure.records,
                port=port,
                reason=str(failure.error),
            )
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
    Worker(Channel(socket.socket(fileno=arguments.channel))).run()


if __name__ == "__main__":
    main()
