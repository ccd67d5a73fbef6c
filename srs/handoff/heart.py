"""This recorder among those that share the archive: tells that it lives, does what others want of it."""

import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from types import TracebackType

import structlog
from sqlalchemy import Engine

from srs.alarms import Alarms
from srs.archive import nodes
from srs.archive.errors import ArchiveError, NodeTaken
from srs.archive.nodes import Identity, NodeState
from srs.config import Settings

log = structlog.get_logger()

BEAT_S = 10.0
SWEEP_S = 60.0


class Heart:
    """Beats when it is called, if a beat is due; leaves in the end."""

    def __init__(self, engine: Engine, settings: Settings, drain: Callable[[], None], alarms: Alarms) -> None:
        self._engine, self._data_dir, self._drain, self._alarms = engine, settings.data_dir, drain, alarms
        token = nodes.token(settings.data_dir)
        self._who = Identity(settings.node.id, token, socket.gethostname(), version("siprec-srs"))
        self._beat_due = self._sweep_due = 0.0
        self._drained = False

    def join(self, wait: Callable[[float], bool]) -> bool:
        """Take our place, as soon as no other recorder has it; False if it is time to stop before."""
        while True:
            try:
                nodes.join(self._engine, self._who, datetime.now(UTC))
            except ArchiveError as error:
                self._alarms.set("node", str(error))
            else:
                self._alarms.set("node", None)
                return True
            if wait(BEAT_S):
                return False

    def __call__(self) -> None:
        """Beat and sweep, unless that was a moment ago."""
        now = time.monotonic()
        try:
            if now >= self._beat_due:
                self._beat_due = now + BEAT_S
                self._beat()
            if now >= self._sweep_due:
                self._sweep_due = now + SWEEP_S
                for recording in nodes.sweep(self._engine, self._data_dir):
                    log.info("capture removed: deleted on another node", recording=recording)
        except NodeTaken as error:
            self._alarms.set("node", str(error))
        except (ArchiveError, OSError) as error:
            log.warning("no heartbeat", node=self._who.id, reason=str(error))

    def _beat(self) -> None:
        wanted = nodes.beat(self._engine, self._who, datetime.now(UTC))
        self._alarms.set("node", None)
        if wanted is NodeState.DRAINING and not self._drained:
            self._drained = True
            log.info("drained by a command", node=self._who.id)
            self._drain()

    def __enter__(self) -> "Heart":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            nodes.leave(self._engine, self._who)
        except ArchiveError as failure:
            log.warning("not left", node=self._who.id, reason=str(failure))
