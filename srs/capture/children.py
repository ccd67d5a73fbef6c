"""The keeper's children: started, watched, started again with a growing pause when they die young."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from srs.capture.channel import Channel, ChannelClosed, Message

log = structlog.get_logger()

SHORTEST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
"""Less than the sockets of a worker hold."""
HEALTHY_AFTER_S = 30.0
ALONE: Final = {"OPENBLAS_NUM_THREADS": "1"}
"""No process computes so much at once that threads of numpy's would be worth their waking."""
LEAVE_S = 10.0
"""So long a process may take to leave when it is to be replaced."""


@dataclass(eq=False)
class Child:
    """One process of the recorder and the channel to it."""

    name: str
    module: str
    arguments: list[str]
    on_start: Callable[["Child"], None] = lambda child: None  # noqa: ARG005
    """Called when a new process has its channel, to send what it must know."""
    inherits: Sequence[int] = ()
    """Descriptors that stay open in the process."""
    process: subprocess.Popen[bytes] | None = None
    channel: Channel | None = None
    is_full: bool = False
    """Whether it is waited for until the channel takes more."""
    pidfd: int = -1
    """Becomes readable when the process ends."""
    started_at: float = 0.0
    pause_s: float = field(default=SHORTEST_PAUSE_S)
    due: float = 0.0
    """Monotonic time of the next start, while no process runs."""
    leaves_until: float | None = None
    """It is being replaced, and is killed if it is still there then."""

    def start(self, now: float) -> None:
        """
        Raises:
            OSError: the system has no room for a process now; it is due again after a pause.
        """
        self.channel, theirs = Channel.pair()
        try:
            with theirs:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", self.module, *self.arguments, "--channel", str(theirs.fileno())],
                    pass_fds=[theirs.fileno(), *self.inherits],
                    start_new_session=True,
                    env={**ALONE, **os.environ},
                )
        except OSError:
            self.channel.close()
            self.channel = None
            self._put_off(now)
            raise
        self.pidfd = os.pidfd_open(self.process.pid)
        self.started_at, self.is_full = now, False
        log.info("process started", process=self.name, pid=self.process.pid)
        self.on_start(self)

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Queue a message; a process that is not there hears what it must know from `on_start`."""
        if self.channel is not None:
            with suppress(ChannelClosed):  # its end is told by `pidfd`
                self.channel.send(message, descriptors)

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)

    def leave(self, now: float) -> None:
        """Ask the process to make room for another."""
        self.leaves_until = now + LEAVE_S
        self.send({"do": "leave"})

    def ended(self, now: float) -> int:
        """Take note of the end: close what is left of it, decide when the next may start. Returns the exit status."""
        assert self.process is not None
        assert self.channel is not None
        status = self.process.wait()
        self.channel.close()
        os.close(self.pidfd)
        self.process, self.channel, self.pidfd = None, None, -1
        if self.leaves_until is not None:
            self.leaves_until, self.due = None, now
        else:
            self._put_off(now)
        return status

    def _put_off(self, now: float) -> None:
        """The first time there is no pause, then a growing one."""
        healthy = now - self.started_at >= HEALTHY_AFTER_S
        self.due = now + (0.0 if healthy else self.pause_s)
        self.pause_s = SHORTEST_PAUSE_S if healthy else min(2 * self.pause_s, LONGEST_PAUSE_S)
