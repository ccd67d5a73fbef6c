"""Threads that do tasks: one for each kind, so that no kind waits for another's server."""

import secrets
import socket
import threading
import time
from collections.abc import Mapping
from datetime import timedelta

import structlog

from srs.alarms import Alarms
from srs.archive.errors import ArchiveError
from srs.handoff import tasks
from srs.handoff.module import Context, Module
from srs.handoff.run import Bench
from srs.handoff.tables import Task

log = structlog.get_logger()

POLL_S = 0.5
LONGEST_PAUSE_S = 60.0
LEAVE_S = 5.0
LONGEST_S = 3600.0
"""A task that takes longer is left to another worker: this one hangs."""


class Lane(threading.Thread):
    """Does the tasks of one kind, one after another."""

    def __init__(self, bench: Bench, over: threading.Event) -> None:
        super().__init__(name=f"tasks {bench.kind}", daemon=True)
        self.bench, self._over = bench, over
        self.current: tuple[Task, float] | None = None
        """The task at hand, and the monotonic time that it was begun."""

    def run(self) -> None:
        pause = POLL_S
        while not self._over.wait(pause):
            try:
                pause = self._turn()
            except ArchiveError as error:
                log.warning("tasks cannot be looked at", kind=self.bench.kind, reason=str(error))
                pause = min(2 * pause, LONGEST_PAUSE_S)

    def _turn(self) -> float:
        """One task, if one is due; how long to wait before the next look."""
        task = self.bench.take()
        if task is None:
            return POLL_S
        self.current = task, time.monotonic()
        try:
            self.bench.work(task)
        finally:
            self.current = None
        return 0.0


class Lanes:
    """All lanes of a process, and the thread that keeps their leases."""

    def __init__(self, context: Context, modules: Mapping[str, Mapping[str, Module]], alarms: Alarms) -> None:
        self._context, self._alarms, self._over = context, alarms, threading.Event()
        self._owner = f"{socket.gethostname()}-{secrets.token_hex(8)}"
        self._lease = timedelta(seconds=context.settings.tasks.lease_s)
        strange: dict[str, Mapping[str, Module]] = {kind: {} for kind in tasks.open_kinds(context.engine)}
        self._lanes = [
            Lane(Bench(context, kind, by_name, self._owner, self._lease), self._over)
            for kind, by_name in {**strange, **modules}.items()
        ]
        self._keeper = threading.Thread(target=self._keep_leases, name="leases", daemon=True)

    def __enter__(self) -> "Lanes":
        for thread in (*self._lanes, self._keeper):
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let the tasks at hand end, those that end soon; the others come again when their leases do."""
        self._over.set()
        deadline = time.monotonic() + LEAVE_S
        for lane in self._lanes:
            lane.join(max(0.0, deadline - time.monotonic()))

    def _keep_leases(self) -> None:
        while not self._over.wait(self._lease.total_seconds() / 3):
            try:
                self._renew()
                failed = tasks.counts(self._context.engine)["failed"]
            except ArchiveError as error:
                log.warning("leases not renewed", reason=str(error))
            else:
                self._alarms.set("handoff", f"{failed} tasks need a person" if failed else None)

    def _renew(self) -> None:
        now = time.monotonic()
        at_hand = [lane.current for lane in self._lanes]
        mine = [task.id for task, since in filter(None, at_hand) if now - since < LONGEST_S]
        if mine:
            tasks.renew(self._context.engine, mine, self._owner, self._context.now() + self._lease)
