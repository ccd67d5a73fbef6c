"""What the handoff process does now and then."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from srs.archive.errors import ArchiveError

log = structlog.get_logger()


class Chore:
    """Something that is done again and again.

    Args:
        every_s: seconds from one time to the next.
        act: what is done, at a moment; when database, store or disk do not let it, the next time will do.
        failure: what the log says then.
    """

    def __init__(self, every_s: float, act: Callable[[datetime], object], failure: str) -> None:
        self._every_s, self._act, self._failure, self._due = every_s, act, failure, 0.0

    def __call__(self) -> None:
        """Do it, unless it was done a moment ago."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + self._every_s
        try:
            self._act(datetime.now(UTC))
        except (ArchiveError, OSError) as error:
            log.warning(self._failure, reason=str(error))
