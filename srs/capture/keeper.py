"""The keeper: the process that holds what must not be lost when another one dies.

It binds the SIP sockets and the RTP port pairs, keeps a duplicate of every descriptor and a checkpoint of every
dialog, starts the other processes and starts again what dies:

    signalling  SIP and sessions; asks for ports, hands checkpoints over, says when a session has ended
    capture     drains the sockets into capture files; one per core, each with a batch whose memory is held here
    handoff     finalises ended captures and does what is to be done with recordings, at low priority

It knows neither numpy nor SIP nor a database. Its loop is `_Keeper.run`; all messages it understands are methods
named `_on_…`.
"""

import contextlib
import itertools
import os
import resource
import selectors
import signal
import socket
import time
from dataclasses import dataclass, field

import structlog

from srs.capture import folder, lock
from srs.capture.channel import Channel, ChannelClosed, Message
from srs.capture.children import Child
from srs.capture.memory import reserve
from srs.capture.ports import NoPorts, Pair, PortRange
from srs.capture.systemd import Notifier
from srs.config import Settings
from srs.sip.address import ListenAddress
from srs.sip.sockets import bind

log = structlog.get_logger()

STOP_WORKERS_S = 5.0
LONGEST_TURN_S = 5.0
HANG_UP_S = 5.0
"""So long signalling may take to end all calls at once."""
NICENESS = -10


@dataclass
class Custody:
    """What is held of one recording session."""

    recording: str
    call_id: str
    address: str
    """That packets are written down as sent to."""
    worker: Child
    invite: Message | None = None
    """That it began with, until it is answered."""
    pairs: list[Pair] = field(default_factory=list)
    checkpoint: Message | None = None
    """What signalling needs to go on with it; None: the INVITE is not answered yet."""
    closing: bool = False

    def close(self) -> None:
        for pair in self.pairs:
            pair.close()


@dataclass
class Connection:
    """A client's SIP connection, kept open when signalling dies."""

    descriptor: int
    partial: str = ""
    """What came of a message that is not complete, base64."""


def run(settings: Settings, arguments: list[str]) -> int:
    """Run the recorder until SIGTERM (finish running calls first) or SIGINT (end them now); returns the exit status.

    A second signal ends at once. SIGHUP replaces the other processes one by one, while calls go on.

    Args:
        arguments: the `--config` and `--data` that the other processes are started with.

    Raises:
        OSError: a SIP address cannot be bound, or another recorder works on the data folder.
    """
    folder.prepare(settings.data_dir)
    held = lock.acquire(settings.data_dir)
    _allow_descriptors()
    _prefer_recording()
    listeners = [bind(ListenAddress.parse(url)) for url in settings.sip.listen]
    try:
        return _Keeper(settings, arguments, listeners, held).run()
    finally:
        os.close(held)
        for listener in listeners:
            listener.close()


def _prefer_recording() -> None:
    """Run before other work of the host, if we may; the processes that record inherit it."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)


def _allow_descriptors() -> None:
    """As many as the system gives us: two sockets for each stream, here and in a worker."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class _Keeper:
    def __init__(self, settings: Settings, arguments: list[str], listeners: list[socket.socket], held: int) -> None:
        self._settings = settings
        self._listeners = listeners
        self._ports = PortRange(*settings.media.port_range)
        self._custody: dict[str, Custody] = {}
        self._connections: dict[int, Connection] = {}
        """SIP connections of clients, by the numbers that signalling gives them."""
        self._numbers = itertools.count(1)
        """Of port pairs."""
        self._not_ended: set[str] = set()
        """Recordings whose captures the disk would not let us move."""
        self._drain_until: float | None = None
        """While the recorder is about to stop: when signalling is to hang up on the calls that are left."""
        self._drained = False
        self._renewing: list[Child] = []
        """Children to be replaced, the first now."""
        self._notifier = Notifier()
        self._selector = selectors.DefaultSelector()
        self._signals, self._wakeup = socket.socketpair()
        self.signalling = Child("signalling", "srs.capture.signalling", arguments, self._greet_signalling, [held])
        self.workers = [
            Child(f"capture-{i}", "srs.capture.worker", arguments, self._greet_worker, [held])
            for i in range(settings.media.workers)
        ]
        self._memory = {worker.name: reserve() for worker in self.workers}
        self.handoff = Child("handoff", "srs.handoff.worker", arguments)

    # The loop

    def run(self) -> int:
        for recording in folder.left_over(self._settings.data_dir, set()):
            log.warning("capture left over by an interrupted run", recording=recording)
            self._end(recording)
        self._catch_signals()
        while not self._finished():
            self._turn()
        self._stop_workers()
        return 0

    def _turn(self) -> None:
        """Start what is due, wait for one thing to happen, and see to it."""
        now = time.monotonic()
        for child in self._children():
            if child.process is None and now >= child.due:
                self._start(child)
        self._renew(now)
        self._watch_backlogs()
        self._notifier.alive(now)
        for key, events in self._selector.select(self._pause(now)):
            if key.data is None:
                self._on_signal()
            else:
                self._on_child(key.data, key.fileobj, events)

    def _pause(self, now: float) -> float:
        """How long nothing is due."""
        waiting = [child.due - now for child in self._children() if child.process is None]
        leaving = [child.leaves_until - now for child in self._children() if child.leaves_until is not None]
        return max(0.0, min([*waiting, *leaving, self._notifier.alive_every_s or LONGEST_TURN_S, LONGEST_TURN_S]))

    def _children(self) -> list[Child]:
        return [*self.workers, self.signalling, self.handoff]

    def _catch_signals(self) -> None:
        for end in (self._signals, self._wakeup):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        self._selector.register(self._signals, selectors.EVENT_READ, None)

    def _on_signal(self) -> None:
        for number in self._signals.recv(64):
            if number == signal.SIGHUP:
                log.info("replacing all processes")
                self._renewing = self._children()
            else:
                self._stop(signal.Signals(number))

    def _stop(self, number: signal.Signals) -> None:
        """Let running calls end; at the second signal, and at SIGINT, end them now."""
        now = time.monotonic()
        at_once = number == signal.SIGINT or self._drain_until is not None
        log.info("stopping", signal=number.name, running_calls=len(self._custody), at_once=at_once)
        self._notifier.stopping()
        self._drain_until = now if at_once else now + self._settings.sip.drain_s
        self._renewing = []
        if at_once:
            self.signalling.leaves_until = now + HANG_UP_S
        self._tell_drain()

    def _tell_drain(self) -> None:
        if self._drain_until is not None:
            self.signalling.send({"do": "drain", "limit_s": max(0.0, self._drain_until - time.monotonic())})

    def _renew(self, now: float) -> None:
        """Replace one child after the other, each when all others run. Kill what does not go."""
        for child in self._children():
            if child.leaves_until is not None and now >= child.leaves_until:
                child.signal(signal.SIGKILL)
        if self._renewing and all(child.process and child.leaves_until is None for child in self._children()):
            child = self._renewing.pop(0)
            child.leave(now)
            if child is self.handoff:
                child.signal(signal.SIGTERM)

    def _finished(self) -> bool:
        """Whether all calls have ended, or had their time."""
        late = self._drain_until is not None and time.monotonic() > self._drain_until + HANG_UP_S
        return self._drained or (late and self.signalling.process is None)

    # Children

    def _start(self, child: Child) -> None:
        try:
            child.start(time.monotonic())
        except OSError as error:
            log.error("process not started", process=child.name, reason=error.strerror)
            return
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
                    self._on_message(child, *received)
            except ChannelClosed:
                self._selector.unregister(child.channel)

    def _on_end(self, child: Child) -> None:
        self._selector.unregister(child.pidfd)
        if child.channel is not None and child.channel in self._selector.get_map():
            self._selector.unregister(child.channel)
            self._hear_last_words(child, child.channel)
        leaves = child.leaves_until is not None
        status = child.ended(time.monotonic())
        if child is self.signalling and self._drain_until is not None and (status == 0 or leaves):
            self._drained = True
        elif self._drained:
            log.info("process ended", process=child.name, status=status)
        elif leaves:
            log.info("process replaced", process=child.name)
        else:
            log.error("process died", process=child.name, status=status, pause_s=child.pause_s)

    def _hear_last_words(self, child: Child, channel: Channel) -> None:
        """What a process said before it died stands."""
        with contextlib.suppress(ChannelClosed):
            while received := channel.receive():
                self._on_message(child, *received)

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
        self.handoff.signal(signal.SIGTERM)  # it ends after the capture at hand, if need be without us
        deadline = time.monotonic() + STOP_WORKERS_S
        while any(child.process for child in self._children()) and time.monotonic() < deadline:
            for key, events in self._selector.select(0.1):
                if key.data is not None:
                    self._on_child(key.data, key.fileobj, events)
        for recording in list(self._custody):
            self._release(recording)

    # What signalling asks

    def _on_message(self, child: Child, message: Message, descriptors: list[int]) -> None:
        handler = {
            "open": self._on_open,
            "close": self._on_close,
            "checkpoint": self._on_checkpoint,
            "partial": self._on_partial,
            "drop": self._on_drop,
        }
        if message["do"] == "hold":
            self._connections[message["connection"]] = Connection(descriptors[0])
        elif message["do"] == "ready":
            self._notifier.ready()
        elif child is self.signalling:
            handler[message["do"]](message)
        elif message["do"] == "closed":
            self._on_closed(message)
        elif message["do"] == "status":
            self.signalling.send({**message, "worker": child.name})
            self._retry_ends()

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
            custody.invite = message.get("invite")
            self._custody[message["id"]] = custody
        custody.pairs += pairs
        self._hand_over(custody, pairs)
        self.signalling.send({"re": message["re"], "ports": [pair.port for pair in pairs]})

    def _bind(self, address: str, count: int) -> list[Pair]:
        pairs: list[Pair] = []
        try:
            for _ in range(count):
                pairs.append(self._ports.bind(address, next(self._numbers)))  # noqa: PERF401 - those bound before a failure are closed
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
                    "numbers": [2 * pair.number, 2 * pair.number + 1],
                },
                [pair.rtp.fileno(), pair.rtcp.fileno()],
            )

    def _on_checkpoint(self, message: Message) -> None:
        if custody := self._custody.get(message["id"]):
            custody.checkpoint, custody.invite = message["state"], None

    def _on_partial(self, message: Message) -> None:
        """What came on a connection of a message that is not complete."""
        if connection := self._connections.get(message["connection"]):
            connection.partial = message["data"]

    def _on_drop(self, message: Message) -> None:
        if connection := self._connections.pop(message["connection"], None):
            os.close(connection.descriptor)

    def _on_close(self, message: Message) -> None:
        """The session is over: the worker drains its sockets a last time and answers `closed`."""
        if custody := self._custody.get(message["id"]):
            custody.closing = True
            custody.worker.send({"do": "close", "id": custody.recording})
        else:
            self._end(message["id"])

    def _on_closed(self, message: Message) -> None:
        self._release(message["id"])
        log.info("captured", recording=message["id"], packets=message["packets"], dropped=message["dropped"])

    def _release(self, recording: str) -> None:
        if custody := self._custody.pop(recording, None):
            custody.close()
            self._end(recording)

    def _end(self, recording: str) -> None:
        """Hand a capture to the archive, as soon as the disk lets us."""
        try:
            folder.end(self._settings.data_dir, recording)
        except OSError as error:
            log.error("capture not handed over yet", recording=recording, reason=error.strerror)
            self._not_ended.add(recording)

    def _retry_ends(self) -> None:
        for recording in list(self._not_ended):
            try:
                folder.end(self._settings.data_dir, recording)
            except OSError:
                return
            self._not_ended.remove(recording)

    # What a new process must know

    def _greet_worker(self, child: Child) -> None:
        child.send({"do": "memory"}, self._memory[child.name])
        for custody in self._custody.values():
            if custody.worker is child:
                self._hand_over(custody, custody.pairs)
        child.send({"do": "begin"})
        for custody in self._custody.values():
            if custody.worker is child and custody.closing:
                child.send({"do": "close", "id": custody.recording})

    def _greet_signalling(self, child: Child) -> None:
        """Sessions, clients' connections, SIP sockets, and INVITEs that a predecessor did not answer."""
        unanswered = [custody for custody in self._custody.values() if custody.checkpoint is None]
        for custody in self._custody.values():
            if custody.checkpoint is not None and not custody.closing:
                child.send({"do": "restore", "id": custody.recording, "state": custody.checkpoint})
        for number, connection in self._connections.items():
            message = {"do": "connection", "connection": number, "partial": connection.partial}
            child.send(message, [connection.descriptor])
        self._discard_unanswered(unanswered)
        child.send({"do": "listen"}, [listener.fileno() for listener in self._listeners])
        for custody in unanswered:
            if custody.invite is not None:
                child.send({"do": "again", **custody.invite})
                custody.invite = None
        self._tell_drain()

    def _discard_unanswered(self, unanswered: list[Custody]) -> None:
        """Captures of calls that were never answered hold nothing; the client, or we, begin them anew."""
        kept = {custody.recording for custody in self._custody.values()} - {each.recording for each in unanswered}
        for recording in folder.left_over(self._settings.data_dir, kept | self._not_ended):
            folder.open_path(self._settings.data_dir, recording).unlink(missing_ok=True)
        for custody in unanswered:
            self._on_close({"id": custody.recording})
