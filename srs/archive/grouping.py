"""Which groups of the settings each recording is of, so that search finds them by it.

It is noted with the recording. When the settings change, the recordings there are follow, a few at a time.
"""

import hashlib
from collections.abc import Sequence

import structlog
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from srs.archive.database import writing
from srs.archive.errors import DatabaseError
from srs.archive.subject import fits
from srs.archive.tables import Recording
from srs.config.rules import GroupSettings

log = structlog.get_logger()

BATCH = 100


class Grouping:
    """By the groups of the settings."""

    def __init__(self, groups: Sequence[GroupSettings]) -> None:
        self._groups = groups
        told = "\n".join(f"{group.name} {' '.join(group.extensions)}" for group in groups)
        self._version = hashlib.sha256(told.encode()).hexdigest()[:16]
        self._done = False

    def note(self, session: Session, row: Recording) -> None:  # noqa: ARG002, as Archive.on_stored calls it
        """Note the groups of a recording."""
        parties = row.parties.split("\n")
        row.groups = [group.name for group in self._groups if fits(group.extensions, parties)]
        row.grouped = self._version

    def follow(self, engine: Engine) -> int:
        """Have the next few recordings follow the settings; how many there were."""
        with writing(engine) as session:
            query = select(Recording).where(col(Recording.grouped).is_distinct_from(self._version)).limit(BATCH)
            found = session.exec(query).all()
            for row in found:
                self.note(session, row)
        return len(found)

    def chore(self, engine: Engine) -> None:
        """Once after each start, until all follow: recorders with other settings must not undo each other for ever."""
        if self._done:
            return
        try:
            self._done = self.follow(engine) == 0
        except DatabaseError as error:
            log.warning("groups of recordings wait", reason=str(error))
