"""The keeper: the process that holds what must not be lost when another one dies.

It binds the SIP sockets and the RTP port pairs, keeps a duplicate of every descriptor and a checkpoint of every
dialog, starts the other processes and starts again what dies:

    signalling  SIP and sessions; asks for ports, hands checkpoints over, says when a session has ended
    capture     drains the sockets into capture files; one per core
    archive     finalises ended captures, at low priority

It knows neither numpy nor SIP nor a database. Its loop is `_Keeper.run`; all messages it understands are methods
named `_on_…`.
"""

import selectors
import signal
import socket
import time
from dataclasses import dataclass, field

import structlog

from srs.capture import folder
from srs.capture.channel import ChannelClosed, Message
from srs.capture.children import Child
from srs.capture.ports import NoPorts, Pair, PortRange
from srs.config import Settings
from srs.sip.address import ListenAddress
from srs.sip.sockets import bind

log = structlog.get_logger()

STOP_WORKERS_S = 5.0


@dataclass
class Custody:
    """What is held of one recording session."""

    recording: str
    call_id: str
    address: str
    """That packets are written down as sent to."""
    worker: Child
    pairs: list[Pair] = field(default_factory=list)
    checkpoint: Message | None = None
    closing: bool = False

    def close(self) -> None:
        for pair in self.pairs:
            pair.close()


def run(settings: Settings, arguments: list[str]) -> int:
    """Run the recorder until SIGTERM (finish running calls first) or SIGINT (end them now); returns the exit status.

    Args:
        arguments: the `--config` and `--data` that the other processes are started with.

    Raises:
        OSError: a SIP address cannot be bound.
    """
    folder.prepare(settings.data_dir)
    listeners = [bind(ListenAddress.parse(url)) for url in settings.sip.listen]
    try:
        return _Keeper(settings, arguments, listeners).run()
    finally:
        for listener in listeners:
            listener.close()


class _Keeper:
    def __init__(self, settings: Settings, arguments: list[str], listeners: list[socket.socket]) -> None:
        self._settings = settings
        self._listeners = listeners
        self._ports = PortRange(*settings.media.port_range)
        self._custody: dict[str, Custody] = {}
        self._stopping = False
        self._selector = selectors.DefaultSelector()
        self._signals, self._wakeup = socket.socketpair()
        self.signalling = Child("signalling", "srs.capture.signalling", arguments, self._greet_signalling)
        self.workers = [
            Child(f"capture-{i}", "srs.capture.worker", arguments, self._greet_worker)
            for i in range(settings.media.workers)
        ]
        self.archive = Child("archive", "srs.archive.worker", arguments)

    # The loop

    def run(self) -> int:
        self._catch_signals()
        for child in self._children():
            self._start(child)
        while not self._stopping or self.signalling.process is not None:
            self._turn()
        self._stop_workers()
        return 0

    def _turn(self) -> None:
        """Wait for one thing to happen, and see to it."""
        now = time.monotonic()
        waiting = [child.due - now for child in self._children() if child.process is None and not self._stopping]
        for key, events in self._selector.select(max(0.0, min(waiting, default=60.0))):
            if key.data is None:
                self._on_signal()
            else:
                self._on_child(key.data, key.fileobj, events)
        now = time.monotonic()
        for child in self._children():
            if child.process is None and not self._stopping and now >= child.due:
                self._start(child)
        self._watch_backlogs()

    def _children(self) -> list[Child]:
        return [*self.workers, self.signalling, self.archive]

    def _catch_signals(self) -> None:
        for end in (self._signals, self._wakeup):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self._selector.register(self._signals, selectors.EVENT_READ, None)

    def _on_signal(self) -> None:
        for number in self._signals.recv(64):
            at_once = number == signal.SIGINT
            log.info("stopping", signal=signal.Signals(number).name, running_calls=len(self._custody))
            self._stopping = True
            self.signalling.send({"do": "drain", "limit_s": 0.0 if at_once else self._settings.sip.drain_s})

    # Children

    def _start(self, child: Child) -> None:
        child.start(time.monotonic())
        assert child.channel is not None
        self._selector.register(child.channel, selectors.EVENT_READ, child)
        self._selector.register(child.pidfd, selectors.EVENT_READ, child)

    def _on_child(self, child: Child, source: object, events: int) -> None:
        if source == child.pidfd:
            self._on_end(child)
        elif source is child.channel and child.channel is not None:
            try:
                if events & selectors.EVENT_WRITE:
                    child.channel.flush()
                while events & selectors.EVENT_READ and (received := child.channel.receive()):
                    self._on_message(child, received[0])
            except ChannelClosed:
                self._selector.unregister(child.channel)

    def _on_end(self, child: Child) -> None:
        self._selector.unregister(child.pidfd)
        if child.channel is not None and child.channel in self._selector.get_map():
            self._selector.unregister(child.channel)
        status = child.ended(time.monotonic())
        if not self._stopping:
            log.error("process died", process=child.name, status=status, starts_again_in_s=child.pause_s)

    def _watch_backlogs(self) -> None:
        for child in self._children():
            if child.channel is not None and child.channel in self._selector.get_map():
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if child.channel.backlog else 0)
                self._selector.modify(child.channel, wanted, child)

    def _stop_workers(self) -> None:
        for custody in self._custody.values():
            custody.worker.send({"do": "close", "id": custody.recording})
        for worker in self.workers:
            worker.send({"do": "stop"})
        self.archive.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_WORKERS_S
        while any(worker.process for worker in self.workers) and time.monotonic() < deadline:
            for key, events in self._selector.select(0.1):
                if key.data is not None:
                    self._on_child(key.data, key.fileobj, events)
        for recording in list(self._custody):
            self._release(recording)

    # What signalling asks

    def _on_message(self, child: Child, message: Message) -> None:
        handler = {"open": self._on_open, "close": self._on_close, "checkpoint": self._on_checkpoint}
        if child is self.signalling:
            handler[message["do"]](message)
        elif message["do"] == "closed":
            self._on_closed(message)

    def _on_open(self, message: Message) -> None:
        """Bind `pairs` more port pairs for a session, give them to a capture worker, tell the ports."""
        try:
            pairs = self._bind(message["address"], message["pairs"])
        except (NoPorts, OSError) as error:
            self.signalling.send({"re": message["re"], "error": str(error)})
            return
        custody = self._custody.get(message["id"])
        if custody is None:
            custody = Custody(message["id"], message["call_id"], message["address"], self._least_loaded())
            self._custody[message["id"]] = custody
        custody.pairs += pairs
        self._hand_over(custody, pairs)
        self.signalling.send({"re": message["re"], "ports": [pair.port for pair in pairs]})

    def _bind(self, address: str, count: int) -> list[Pair]:
        pairs: list[Pair] = []
        try:
            for _ in range(count):
                pairs.append(self._ports.bind(address))  # noqa: PERF401 - those bound before a failure are closed
        except (NoPorts, OSError):
            for pair in pairs:
                pair.close()
            raise
        return pairs

    def _least_loaded(self) -> Child:
        sessions = [custody.worker.name for custody in self._custody.values()]
        return min(self.workers, key=lambda worker: sessions.count(worker.name))

    def _hand_over(self, custody: Custody, pairs: list[Pair]) -> None:
        path = folder.open_path(self._settings.data_dir, custody.recording)
        for pair in pairs:
            custody.worker.send(
                {
                    "do": "open",
                    "id": custody.recording,
                    "call_id": custody.call_id,
                    "address": custody.address,
                    "path": str(path),
                },
                [pair.rtp.fileno(), pair.rtcp.fileno()],
            )

    def _on_checkpoint(self, message: Message) -> None:
        if custody := self._custody.get(message["id"]):
            custody.checkpoint = message["state"]

    def _on_close(self, message: Message) -> None:
        """The session is over: the worker drains its sockets a last time and answers `closed`."""
        if custody := self._custody.get(message["id"]):
            custody.closing = True
            custody.worker.send({"do": "close", "id": custody.recording})
        else:
            folder.end(self._settings.data_dir, message["id"])

    def _on_closed(self, message: Message) -> None:
        self._release(message["id"])
        log.info("captured", recording=message["id"], packets=message["packets"], dropped=message["dropped"])

    def _release(self, recording: str) -> None:
        if custody := self._custody.pop(recording, None):
            custody.close()
            folder.end(self._settings.data_dir, recording)

    # What a new process must know

    def _greet_worker(self, child: Child) -> None:
        for custody in self._custody.values():
            if custody.worker is child:
                self._hand_over(custody, custody.pairs)
                if custody.closing:
                    child.send({"do": "close", "id": custody.recording})

    def _greet_signalling(self, child: Child) -> None:
        """The SIP sockets, what is checkpointed; a capture that nobody holds any more has ended."""
        for recording in folder.left_over(self._settings.data_dir, set(self._custody)):
            log.warning("capture left over by an interrupted run", recording=recording)
            folder.end(self._settings.data_dir, recording)
        child.send({"do": "listen"}, [listener.fileno() for listener in self._listeners])
        for custody in self._custody.values():
            if custody.checkpoint is not None and not custody.closing:
                state = {"do": "restore", "id": custody.recording, "state": custody.checkpoint}
                child.send({**state, "ports": [pair.port for pair in custody.pairs]})
        child.send({"do": "begin"})
