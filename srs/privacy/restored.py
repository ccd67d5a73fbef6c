"""Erased recordings that a restored backup brought back: erased again, at the start of the recorder."""

from datetime import UTC, datetime

import structlog
from sqlalchemy import Engine
from sqlmodel import col, select

from srs.archive import ledger, peaks
from srs.archive.database import reading
from srs.archive.errors import ArchiveError, Held
from srs.archive.ledger import Erased
from srs.archive.store import Store
from srs.archive.tables import Recording, State
from srs.config import Settings
from srs.handoff.copies import Cause
from srs.handoff.delete import delete

log = structlog.get_logger()

REASON = "erased before, came back with a restored backup"


def erase_again(engine: Engine, store: Store, settings: Settings, now: datetime) -> list[str]:
    """Erase what the ledger of erased recordings names and is there again; what is erased is noted there.

    Sound without row is looked for in a folder only: an object store would be asked for every one.

    Returns:
        The ids of those that had come back. Each is logged.
    """
    erased = ledger.read(settings.data_dir)
    back = []
    for recording in _rows(engine, erased):
        try:
            delete(engine, store, settings, recording, now, REASON, "recorder", Cause.PERIOD)
        except Held as error:
            log.error("an erased recording is back and under legal hold", recording=recording, reason=str(error))
        else:
            back.append(recording)
    back += [each.id for each in erased.values() if _erase_sound(store, each)]
    for recording in back:
        log.error("an erased recording came back with a backup and is erased again", recording=recording)
    _note_others(engine, settings, erased, now)
    return back


def _rows(engine: Engine, erased: dict[str, Erased]) -> list[str]:
    query = select(Recording.id).where(Recording.state != State.DELETED)
    with reading(engine) as session:
        return [recording for recording in session.exec(query) if recording in erased]


def _erase_sound(store: Store, erased: Erased) -> bool:
    if store.root is None or erased.file is None or store.size(erased.file) is None:
        return False
    peaks.delete(store, erased.file)
    store.delete(erased.file)
    return True


def _note_others(engine: Engine, settings: Settings, erased: dict[str, Erased], now: datetime) -> None:
    """Rows that are deleted and not in the ledger: the recorder died in between, or is new to this."""
    query = select(Recording).where(col(Recording.state) == State.DELETED)
    with reading(engine) as session:
        rows = [row for row in session.exec(query) if row.id not in erased]
    if rows:
        ledger.add(settings.data_dir, (Erased(row.id, None, (row.deleted_at or now).isoformat()) for row in rows))


class Sweep:
    """A chore of the handoff process: once, as soon as database and store do what they should."""

    def __init__(self, engine: Engine, store: Store, settings: Settings) -> None:
        self._arguments, self._done = (engine, store, settings), False

    def __call__(self) -> None:
        if self._done:
            return
        try:
            erase_again(*self._arguments, datetime.now(UTC))
        except (ArchiveError, OSError) as error:
            log.warning("erased recordings are not looked for yet", reason=str(error))
        else:
            self._done = True
