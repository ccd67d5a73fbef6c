"""The keeper: the process that holds what must not be lost when another one dies.

It binds the SIP sockets and the RTP port pairs, accepts SIP connections, keeps a duplicate of every descriptor and a
checkpoint of every dialog, starts the other processes and starts again what dies:

    signalling  SIP and sessions; gets clients' TCP connections from here, asks for ports, hands checkpoints over,
                says when a session has ended
    capture     drains the sockets into capture files; one per core, each with a batch whose memory is held here
    handoff     finalises ended captures and does what is to be done with recordings, at low priority
    web         pages and API, if the settings want them (`srs.capture.pages`)

It knows neither numpy nor SIP nor a database. Its loop is `_Keeper.run`; all messages it understands are methods
named `_on_…`.
"""

import contextlib
import os
import selectors
import signal
import socket
import time

import structlog

from srs import control
from srs.capture import descriptors, folder, lock
from srs.capture.channel import Channel, ChannelClosed, Message
from srs.capture.children import Child
from srs.capture.connections import PAUSE_S, Connections
from srs.capture.holdings import Holdings
from srs.capture.memory import reserve
from srs.capture.pages import Pages
from srs.capture.ports import PortRange
from srs.capture.priority import prefer_recording
from srs.capture.systemd import Notifier
from srs.config import Settings
from srs.sip.address import ListenAddress
from srs.sip.sockets import bind

log = structlog.get_logger()

STOP_WORKERS_S = 5.0
LONGEST_TURN_S = 5.0
HANG_UP_S = 5.0
"""So long signalling may take to end all calls at once."""


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
    descriptors.allow()
    prefer_recording(children=False)
    addresses = [ListenAddress.parse(url) for url in settings.sip.listen]
    with contextlib.ExitStack() as bound:
        bound.callback(os.close, held)
        listeners = [(address, bound.enter_context(bind(address))) for address in addresses]
        connections = Connections([listener for address, listener in listeners if address.transport == "TCP"])
        others = [listener for address, listener in listeners if address.transport != "TCP"]
        orders = bound.enter_context(control.bind(settings.data_dir))
        return _Keeper(settings, arguments, connections, others, orders, held).run()


class _Keeper:
    def __init__(
        self,
        settings: Settings,
        arguments: list[str],
        connections: Connections,
        others: list[socket.socket],
        orders: socket.socket,
        held: int,
    ) -> None:
        """
        Args:
            others: the SIP sockets whose clients signalling hears itself.
            orders: the control socket, which signalling hears too.
            held: descriptor of the lock on the data folder.
        """
        self._settings = settings
        self._connections = connections
        self._others, self._orders = others, orders
        self._drain_until: float | None = None
        """While the recorder is about to stop: when signalling is to hang up on the calls that are left."""
        self._drained = False
        self._accept_from: float | None = None
        """While no clients are accepted: when they are again."""
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
        ports = PortRange(*settings.media.port_range)
        self._holdings = Holdings(settings.data_dir, ports, self.signalling, self.workers)
        self.handoff = Child("handoff", "srs.assembly", arguments)
        self.pages = Pages(arguments, wanted=settings.web.address is not None)

    # The loop

    def run(self) -> int:
        self._holdings.end_left_over()
        self._catch_signals()
        self._accept()
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
        if self._accept_from is not None and now >= self._accept_from:
            self._accept()
        self._watch_backlogs()
        self._notifier.alive(now)
        for key, events in self._selector.select(self._pause(now)):
            if key.data is None:
                self._on_signal()
            elif isinstance(key.data, Child):
                self._on_child(key.data, key.fileobj, events)
            else:
                self._on_client(key.data)

    def _pause(self, now: float) -> float:
        """How long nothing is due."""
        due = [child.due for child in self._children() if child.process is None]
        due += [child.leaves_until for child in self._children() if child.leaves_until is not None]
        due += [self._accept_from] if self._accept_from is not None else []
        longest = min(LONGEST_TURN_S, self._notifier.alive_every_s or LONGEST_TURN_S)
        return max(0.0, min([longest, *(at - now for at in due)]))

    def _children(self) -> list[Child]:
        return [*self.workers, self.signalling, *self.others]

    @property
    def others(self) -> list[Child]:
        """Nothing that is recorded depends on them."""
        return [self.handoff, *self.pages.processes]

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
                self._renew_all()
            else:
                self._stop(signal.Signals(number))

    def _stop(self, number: signal.Signals) -> None:
        """Let running calls end; at the second signal, and at SIGINT, end them now."""
        now = time.monotonic()
        at_once = number == signal.SIGINT or self._drain_until is not None
        log.info("stopping", signal=number.name, running_calls=len(self._holdings), at_once=at_once)
        self._notifier.stopping()
        self._drain_until = now if at_once else now + self._settings.sip.drain_s
        self._renewing = []
        if at_once:
            self.signalling.leaves_until = now + HANG_UP_S
        self._tell_drain()

    def _tell_drain(self) -> None:
        if self._drain_until is not None:
            self.signalling.send({"do": "drain", "limit_s": max(0.0, self._drain_until - time.monotonic())})

    def _renew_all(self) -> None:
        log.info("replacing all processes")
        self._renewing = [*self.workers, self.signalling, self.handoff, *self.pages.processes[-1:]]

    def _renew(self, now: float) -> None:
        """Replace one child after the other, each when all others run. Kill what does not go."""
        for child in self._children():
            if child.leaves_until is not None and now >= child.leaves_until:
                child.signal(signal.SIGKILL)
        if self._renewing and all(child.process and child.leaves_until is None for child in self._children()):
            child = self._renewing.pop(0)
            if child in self.pages.processes:
                self.pages.succeed()
            else:
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
                self._holdings.replenish()
            except ChannelClosed:
                self._selector.unregister(child.channel)

    def _on_end(self, child: Child) -> None:
        self._selector.unregister(child.pidfd)
        if child.channel is not None and child.channel in self._selector.get_map():
            self._selector.unregister(child.channel)
            self._hear_last_words(child, child.channel)
        leaves = child.leaves_until is not None
        status = child.ended(time.monotonic())
        self.pages.ended(child)
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
        """Listen for room in a channel as long as something waits for it."""
        for child in self._children():
            if child.channel is None or bool(child.channel.backlog) == child.is_full:
                continue
            if child.channel in self._selector.get_map():
                child.is_full = not child.is_full
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if child.is_full else 0)
                self._selector.modify(child.channel, wanted, child)

    def _stop_workers(self) -> None:
        self._holdings.close_all()
        for worker in self.workers:
            worker.send({"do": "stop"})
        for other in self.others:
            other.signal(signal.SIGTERM)  # handoff ends after the capture at hand, if need be without us
        deadline = time.monotonic() + STOP_WORKERS_S
        while any(child.process for child in self._children()) and time.monotonic() < deadline:
            for key, events in self._selector.select(0.1):
                if isinstance(key.data, Child):
                    self._on_child(key.data, key.fileobj, events)
        self._holdings.release_all()

    # What they say

    def _on_message(self, child: Child, message: Message, descriptors: list[int]) -> None:
        for before in message.pop("before", ()):
            self._on_message(child, before, [])
        match message["do"]:
            case "serving":
                self.pages.serving(child, descriptors, time.monotonic())
            case "renew":
                self._renew_all()
            case "open":
                self._holdings.open(message)
            case "capture":
                self._holdings.capture(message["id"])
            case "checkpoint":
                self._holdings.checkpoint(message)
            case "acknowledged":
                self._holdings.acknowledged(message["ids"])
            case "ended":
                self._holdings.ended(message["id"], message["bye"])
            case "keys":
                self._holdings.protect(message)
            case "close":
                self._holdings.close(message["id"])
            case "drop":
                self._connections.drop(message["connection"])
            case "ready":
                self._notifier.ready()
            case "pause" | "resume":
                self._holdings.order(message)
            case "pauses":
                self._holdings.paused(message)
            case "closed":
                self._holdings.closed(message)
            case "status":
                self.signalling.send({**message, "worker": child.name})
                self._holdings.retry_ends()

    # Clients over TCP

    def _accept(self) -> None:
        self._accept_from = None
        for listener in self._connections.listeners:
            self._selector.register(listener, selectors.EVENT_READ, listener)

    def _on_client(self, listener: socket.socket) -> None:
        if not self._connections.accept(listener, self.signalling):
            self._accept_from = time.monotonic() + PAUSE_S
            for each in self._connections.listeners:
                self._selector.unregister(each)

    # What a new process must know

    def _greet_worker(self, child: Child) -> None:
        child.send({"do": "memory"}, self._memory[child.name])
        self._holdings.greet_worker(child)

    def _greet_signalling(self, child: Child) -> None:
        """Sessions, clients' connections, SIP sockets, and INVITEs that a predecessor did not answer."""
        unanswered = self._holdings.greet_signalling()
        self._connections.hand_over(child)
        child.send({"do": "listen"}, [each.fileno() for each in self._others])
        child.send({"do": "control"}, [self._orders.fileno()])
        for invite in unanswered:
            child.send({"do": "again", **invite})
        self._tell_drain()
