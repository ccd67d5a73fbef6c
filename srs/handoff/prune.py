"""Room for new calls on a disk that is full: the oldest recordings go, if the settings say so."""

import os
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from sqlalchemy import Engine, exists
from sqlmodel import col, select

from srs.archive.database import reading
from srs.archive.errors import Held
from srs.archive.keep import Archive
from srs.archive.tables import Recording, State
from srs.config import Settings
from srs.handoff.copies import Cause
from srs.handoff.delete import KIND, delete
from srs.handoff.module import Witness, nobody
from srs.handoff.retention import may_be_pruned
from srs.handoff.tables import Task, TaskState

log = structlog.get_logger()

REASON = "disk full, [retention] when_full = prune"
BATCH = 100
_UNFINISHED = (
    col(Task.recording_id) == Recording.id,
    col(Task.kind) != KIND,
    col(Task.state).in_((TaskState.DUE, TaskState.RUNNING, TaskState.FAILED)),
)
"""Something is still to be done with it."""
MARGIN = 2
"""Pruning begins before calls are refused: at so many times the room that is left to the calls under way."""


def free(directory: Path) -> int:
    """Octets that may still be written there."""
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize


def is_on_disk_of(data_dir: Path, store_url: str) -> bool:
    """Whether deleting sound makes room for captures."""
    folder = Path(unquote(urlsplit(store_url).path))
    return store_url.startswith("file:") and folder.exists() and folder.stat().st_dev == data_dir.stat().st_dev


def prune(
    archive: Archive,
    settings: Settings,
    least_free: int,
    now: datetime,
    room: Callable[[Path], int] = free,
    witness: Witness = nobody,
) -> int:
    """Delete recordings, oldest first, until there is room. Each is logged and has its receipt.

    Only those that are ready, not held, handed over to whom they are to be, and that no rule keeps.

    It stops at one that gave no room, so that a disk which cannot be freed so does not cost them all.

    Args:
        least_free: octets that calls under way need.

    Returns:
        How many.

    Raises:
        ArchiveError, OSError: database or store are away.
    """
    count, before = 0, room(archive.data_dir)
    while before < MARGIN * least_free and (row := _oldest(archive.engine, settings)):
        with suppress(Held):  # since we looked
            witness("delete", f"recording:{row.id}", {"why": REASON})
            _delete(archive, settings, row, before, now)
            count += 1
        after = room(archive.data_dir)
        if after <= before:
            log.error("pruning gives no room", free=after)
            break
        before = after
    return count


def _delete(archive: Archive, settings: Settings, row: Recording, free_: int, now: datetime) -> None:
    delete(archive.engine, archive.store, settings, row.id, now, REASON, "recorder", Cause.EARLY)
    log.warning(
        "pruned",
        recording=row.id,
        call_id=row.call_id,
        started_at=row.started_at.isoformat(),
        bytes=row.bytes,
        free=free_,
        reason=REASON,
    )


def _oldest(engine: Engine, settings: Settings) -> Recording | None:
    """The oldest that may go."""
    query = select(Recording).where(
        Recording.state == State.READY, col(Recording.held).is_(False), ~exists(select(Task.id).where(*_UNFINISHED))
    )
    with reading(engine) as session:
        asked = query.order_by(col(Recording.started_at)).execution_options(yield_per=BATCH)
        with closing(session.exec(asked)) as found:  # it is left before its end
            return next((row for row in found if may_be_pruned(row, settings)), None)
