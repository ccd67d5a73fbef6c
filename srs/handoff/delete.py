"""Recordings deleted: at the end of their period, when they were handed over, or by hand; each with a receipt."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, update
from sqlmodel import Session, col, select

from srs.archive import captures, catalogue
from srs.archive.database import reading
from srs.archive.store import Store
from srs.archive.tables import Recording
from srs.config import Settings
from srs.handoff import tasks
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
        reason = f"{task.payload['why']}: {task.payload['source']}"
        delete(context.engine, context.store, context.settings, row.id, context.now(), reason, "recorder")


def _wait_for_failed(engine: Engine, recording: str) -> None:
    """A recording that was mailed to one is not deleted while another has not got it."""
    with reading(engine) as session:
        failed = [each for each in tasks.of_recording(session, recording) if each.state == TaskState.FAILED]
    if failed:
        names = ", ".join(f"{each.kind} {each.name} (task {each.id})" for each in failed)
        raise Waits(f"waits for {names}, which needs a person", LOOK_AGAIN)


def delete(
    engine: Engine, store: Store, settings: Settings, recording: str, now: datetime, reason: str, by: str
) -> None:
    """Delete a recording, its sound and its capture, and write a receipt; tasks that it still had are cancelled.

    Raises:
        Held, NotReady, StoreError, DatabaseError: it is as it was.
    """

    def note(session: Session, row: Recording) -> None:
        copies = _copies(session, row, store, settings)
        session.add(Receipt(recording_id=row.id, at=now, reason=reason, by=by, copies=copies))
        _cancel_rest(session, row.id, now)
        row.facts = {name: value for name, value in row.facts.items() if name != TRANSCRIPT}
        if not settings.retention.keep_facts:
            _forget(row)

    catalogue.delete(engine, store, settings.data_dir, recording, now, note)


def _copies(session: Session, row: Recording, store: Store, settings: Settings) -> list[dict[str, str]]:
    """All that is known of, before anything is deleted."""
    found = []
    if row.file is not None:
        found.append({"kind": "sound", "where": store.location(row.file), "became": "deleted"})
    if capture := captures.put_aside(settings.data_dir, row):
        found.append({"kind": "capture", "where": str(capture), "became": "deleted"})
    sent = session.exec(select(Delivery).where(Delivery.recording_id == row.id, col(Delivery.accepted)))
    found += [{"kind": "mail", "where": each.recipient, "became": "left"} for each in sent]
    handed = [each for each in tasks.of_recording(session, row.id) if each.state == TaskState.DONE]
    found += [
        {"kind": each.kind, "where": each.payload["where"], "became": "left"}
        for each in handed
        if "where" in each.payload
    ]
    return found


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
    row.call_id = row.session_id = row.caller = row.callee = row.reason = None
    row.legs, row.tags, row.parties = [], [], ""
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
