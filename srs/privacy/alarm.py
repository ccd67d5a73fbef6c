"""An alarm when too many callers are not told that they are recorded."""

import time
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import Engine

from srs.alarms import Alarms
from srs.archive.errors import DatabaseError
from srs.privacy.untold import told_and_untold

log = structlog.get_logger()

EVERY_S = 60.0
PERIOD = timedelta(days=1)
FEWEST = 10
"""Calls in the period, below which a share says little: one call would raise the alarm."""


class NoticeAlarm:
    """A chore of the archive process."""

    def __init__(self, engine: Engine, limit: float, alarms: Alarms) -> None:
        self._engine, self._limit, self._alarms = engine, limit, alarms
        self._due = 0.0

    def __call__(self) -> None:
        """Look again, unless that was a moment ago."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + EVERY_S
        try:
            self.look(datetime.now(UTC))
        except DatabaseError as error:
            log.warning("calls without notice are not counted", reason=str(error))

    def look(self, now: datetime) -> None:
        told, untold = told_and_untold(self._engine, now - PERIOD, now)
        calls = told + untold
        above = calls >= FEWEST and untold > self._limit * calls
        reason = f"{untold} of {calls} calls of the last day without notice, more than {self._limit:.0%}"
        self._alarms.set("notice", reason if above else None)
