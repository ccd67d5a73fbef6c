"""Copies of a recording elsewhere, when it is deleted: which of them go too, and what its receipt says of each.

A copy is taken away by a task of its own, so that a server that is away is asked again. Until then the receipt says so.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import Enum

from sqlalchemy import update
from sqlmodel import Session, col, select

from srs.archive.tables import Recording
from srs.config import Settings
from srs.handoff import tasks
from srs.handoff.retention import expiry
from srs.handoff.tables import Receipt, Task, TaskState
from srs.handoff.tasks import Wanted

COPY = "copy"
"""The kind of the tasks that make them."""
KIND = "copy-removal"
"""Of those that take them away."""
WHERE = "where"
"""In the payload of a task: where its copy is."""
TO_BE_DELETED = "to be deleted"
LEFT = "left"

Line = dict[str, str]
"""Of a receipt: `kind`, `where`, `became`."""


class Cause(Enum):
    """Why a recording is deleted, as far as copies are concerned."""

    PERIOD = "its period is over"
    EARLY = "it is not to be on the recorder any more, before its period is over: copies go then"
    WANTED = "somebody wants it gone"


def removals(session: Session, row: Recording, settings: Settings, now: datetime, cause: Cause) -> Iterator[Line]:
    """Have copies taken away; yields what the receipt says of each."""
    for made in _made(session, row.id):
        due_at = _end(made, row, settings, now, cause)
        if due_at is not None:
            tasks.add(session, _removal(made, due_at), now)
        became = LEFT if due_at is None else TO_BE_DELETED + (f" at {due_at:%Y-%m-%d}" if due_at > now else "")
        yield {"kind": made.kind, "where": made.payload[WHERE], "became": became}


def _made(session: Session, recording: str) -> list[Task]:
    done = [task for task in tasks.of_recording(session, recording) if task.state == TaskState.DONE]
    return [task for task in done if WHERE in task.payload]


def _end(made: Task, row: Recording, settings: Settings, now: datetime, cause: Cause) -> datetime | None:
    """When a copy is to go; None: never, as far as we are concerned."""
    kept = [entry for entry in settings.handoff if entry.name == made.name and entry.options.get("keep_longer")]
    if made.kind != COPY or (kept and cause is not Cause.WANTED):
        return None
    return expiry(row, settings)[0] if cause is Cause.EARLY else now


def _removal(made: Task, due_at: datetime) -> Wanted:
    return Wanted(KIND, made.recording_id or "", due_at, made.name, {"copy": made.payload[WHERE]})


def remove_now(session: Session, recording: str, now: datetime) -> None:
    """Have all copies taken away of a recording that was deleted before."""
    for made in _made(session, recording):
        if made.kind == COPY:
            tasks.add(session, _removal(made, now), now)
    due = (col(Task.recording_id) == recording, col(Task.kind) == KIND, col(Task.state) == TaskState.DUE)
    changed = session.execute(update(Task).where(*due).values(due_at=now).returning(col(Task.payload)))
    for payload in changed.scalars().all():
        say(session, recording, payload["copy"], TO_BE_DELETED)


def remove_late(session: Session, made: Task, now: datetime) -> None:
    """Have a copy taken away that was under way when its recording was deleted."""
    tasks.add(session, _removal(made, now), now)
    for receipt in _receipts(session, made.recording_id or ""):
        line = {"kind": made.kind, "where": made.payload[WHERE], "became": TO_BE_DELETED}
        receipt.copies = [*(each for each in receipt.copies if each != under_way(made)), line]


def under_way(task: Task) -> Line:
    """What a receipt says of what was being done with a recording while it was deleted."""
    return {"kind": task.kind, "where": task.name, "became": "under way"}


def say(session: Session, recording: str, where: str, became: str) -> None:
    """Write into the receipts what became of a copy."""
    for receipt in _receipts(session, recording):
        receipt.copies = [{**each, "became": became} if each["where"] == where else each for each in receipt.copies]


def _receipts(session: Session, recording: str) -> list[Receipt]:
    return list(session.exec(select(Receipt).where(Receipt.recording_id == recording)))
