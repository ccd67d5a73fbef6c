"""Recordings deleted: at the end of their period, when they were handed over, or by hand; each with a receipt."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Engine, update
from sqlmodel import Session, col, select

from srs.archive import captures, catalogue
from srs.archive.database import reading
from srs.archive.store import Store
from srs.archive.tables import Recording
from srs.config import Settings
from srs.handoff import tasks
from srs.handoff.copies import LEFT, Cause, Line, removals, under_way
from srs.handoff.errors import Waits
from srs.handoff.module import Job
from srs.handoff.retention import expiry
from srs.handoff.tables import Delivery, Receipt, Task, TaskState
from srs.handoff.tasks import Wanted

KIND = "delete"
LAST = 1_000_000
"""Its position: after everything else that is done with a recording."""
LOOK_AGAIN = timedelta(minutes=5)

TRANSCRIPT = "transcript"
"""The fact that is what was said: it goes with the sound."""

RETENTION = "retention"
HANDED_OVER = "handed over"


class Delete:
    """The module."""

    def run(self, job: Job) -> None:
        """Delete the recording, unless a hold or an undelivered mail says no."""
        task, row, context = job.task, job.recording, job.context
        if row.held:
            raise Waits("legal hold", LOOK_AGAIN)
        if captures.is_waiting(context.settings.data_dir, row):
            raise Waits("its capture is being put away", timedelta(seconds=1))
        if task.payload["why"] == HANDED_OVER:
            _wait_for_failed(context.engine, row.id)
        why = task.payload["why"]
        cause = Cause.EARLY if why == HANDED_OVER else Cause.PERIOD
        reason, now = f"{why}: {task.payload['source']}", context.now()
        context.witness("delete", f"recording:{row.id}", {"why": reason})
        delete(context.engine, context.store, context.settings, row.id, now, reason, "recorder", cause)


def _wait_for_failed(engine: Engine, recording: str) -> None:
    """A recording that was mailed to one is not deleted while another has not got it."""
    with reading(engine) as session:
        failed = [each for each in tasks.of_recording(session, recording) if each.state == TaskState.FAILED]
    if failed:
        names = ", ".join(f"{each.kind} {each.name} (task {each.id})" for each in failed)
        raise Waits(f"waits for {names}, which needs a person", LOOK_AGAIN)


def delete(
    engine: Engine,
    store: Store,
    settings: Settings,
    recording: str,
    now: datetime,
    reason: str,
    by: str,
    cause: Cause = Cause.WANTED,
) -> None:
    """Delete a recording, its sound and its capture, and write a receipt; tasks that it still had are cancelled.

    Copies elsewhere are deleted afterwards, by tasks (`srs.handoff.copies`).

    Raises:
        Held, NotReady, StoreError, DatabaseError: it is as it was.
    """

    def note(session: Session, row: Recording) -> None:
        _cancel_rest(session, row.id, now)
        lines = [*_here(row, store, settings), *_elsewhere(session, row), *removals(session, row, settings, now, cause)]
        session.add(Receipt(recording_id=row.id, at=now, reason=reason, by=by, copies=lines))
        row.facts = {name: value for name, value in row.facts.items() if name != TRANSCRIPT}
        if not settings.retention.keep_facts:
            _forget(row)

    catalogue.delete(engine, store, settings.data_dir, recording, now, note)


def _here(row: Recording, store: Store, settings: Settings) -> Iterator[Line]:
    """What this recorder has of it, before that is deleted."""
    if row.file is not None:
        yield {"kind": "sound", "where": store.location(row.file), "became": "deleted"}
    if capture := captures.put_aside(settings.data_dir, row):
        yield {"kind": "capture", "where": str(capture), "became": "deleted"}


def _elsewhere(session: Session, row: Recording) -> Iterator[Line]:
    """What was mailed, and what is being done with it at the moment."""
    sent = session.exec(select(Delivery).where(Delivery.recording_id == row.id, col(Delivery.accepted)))
    yield from ({"kind": "mail", "where": each.recipient, "became": LEFT} for each in sent)
    for task in tasks.of_recording(session, row.id):
        if task.state == TaskState.RUNNING and task.kind != KIND:
            yield under_way(task)


def _cancel_rest(session: Session, recording: str, now: datetime) -> None:
    rest = (
        col(Task.recording_id) == recording,
        col(Task.kind) != KIND,
        col(Task.state).in_((TaskState.DUE, TaskState.FAILED)),
    )
    values = {"state": TaskState.CANCELLED, "finished_at": now, "last_error": "the recording was deleted"}
    session.execute(update(Task).where(*rest).values(values))


def _forget(row: Recording) -> None:
    """All but its times, and which capture it was made from."""
    row.call_id = row.session_id = row.caller = row.callee = row.reason = row.note = None
    row.legs, row.notices, row.identifiers, row.tags, row.groups, row.parties = [], [], [], [], [], ""
    row.facts = {name: value for name, value in row.facts.items() if name == "capture"}


# When


def deletion(row: Recording, settings: Settings) -> Wanted | None:
    """The task that deletes a recording at the end of its period; None: it is kept."""
    due_at, source = expiry(row, settings)
    if due_at is None:
        return None
    payload = {"why": RETENTION, "source": source}
    return Wanted(KIND, row.id, due_at, payload=payload, position=LAST)


def delete_when_handed_over(session: Session, recording: str, source: str, due_at: datetime, now: datetime) -> None:
    """Have a recording deleted then, or at the end of its period if that is earlier, in the session's transaction."""
    payload = {"why": HANDED_OVER, "source": source}
    wanted = Wanted(KIND, recording, due_at, payload=payload, position=LAST)
    tasks.add(session, wanted, now)
    later = (col(Task.key) == wanted.key, col(Task.state) == TaskState.DUE, col(Task.due_at) > due_at)
    session.execute(update(Task).where(*later).values(due_at=due_at, payload=payload))
