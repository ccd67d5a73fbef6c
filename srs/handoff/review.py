"""Periods computed anew when the settings have changed: first looked at, then put in force."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from srs.archive.database import reading, writing
from srs.archive.subject import matches, subject
from srs.archive.tables import Recording, State
from srs.config import Settings
from srs.config.rules import Match
from srs.handoff import tasks
from srs.handoff.delete import KIND, RETENTION, deletion
from srs.handoff.tables import Task, TaskState

BATCH = 500
WEEK = timedelta(days=7)
MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Period:
    """When one recording is deleted; None: never by itself."""

    row: Recording
    task: Task | None
    """Its deletion in force."""
    before: datetime | None
    after: datetime | None
    """By the settings; a legal hold is not shortened."""


@dataclass(slots=True)
class Counts:
    """How many recordings are deleted when."""

    now: int = 0
    week: int = 0
    """Within a week, those of `now` among them."""
    later: int = 0
    never: int = 0

    def add(self, due_at: datetime | None, now: datetime) -> None:
        self.never += due_at is None
        if due_at is not None:
            self.now += due_at <= now
            self.week += due_at <= now + WEEK
            self.later += due_at > now + WEEK


@dataclass(frozen=True, slots=True)
class Preview:
    """What is in force, and what the settings say."""

    in_force: Counts
    by_settings: Counts
    sooner: int
    later: int
    held: int
    """Among all: those under legal hold, which are not deleted before they are released."""


def preview(engine: Engine, settings: Settings, now: datetime) -> Preview:
    """What `apply` would change."""
    in_force, by_settings, sooner, later, held = Counts(), Counts(), 0, 0, 0
    with reading(engine) as session:
        for batch in _batches(session, settings):
            for period in batch:
                in_force.add(period.before, now)
                by_settings.add(period.after, now)
                sooner += _is_sooner(period.after, period.before)
                later += _is_sooner(period.before, period.after)
                held += period.row.held
    return Preview(in_force, by_settings, sooner, later, held)


def apply(engine: Engine, settings: Settings, now: datetime) -> int:
    """Put the settings in force for all recordings there are; returns how many it changed."""
    changed, last = 0, ""
    while True:
        with writing(engine) as session:
            batch = next(_batches(session, settings, last), None)
            if batch is None:
                return changed
            changed += sum(_change(session, period, settings, now) for period in batch)
            last = batch[-1].row.id


def _batches(session: Session, settings: Settings, last: str = "") -> Iterator[list[Period]]:
    while True:
        query = select(Recording).where(col(Recording.id) > last, Recording.state != State.DELETED)
        rows = list(session.exec(query.order_by(col(Recording.id)).limit(BATCH)))
        if not rows:
            return
        ids = [row.id for row in rows]
        found = session.exec(select(Task).where(Task.kind == KIND, col(Task.recording_id).in_(ids)))
        deletions = {task.recording_id: task for task in found}
        yield [_period(row, deletions.get(row.id), settings) for row in rows]
        last = ids[-1]


def _period(row: Recording, task: Task | None, settings: Settings) -> Period:
    before = task.due_at if task is not None and task.state in tasks.OPEN else None
    if task is not None and (task.state != TaskState.DUE or task.payload["why"] != RETENTION):
        return Period(row, task, before, before)  # handed over, under way, or a person has decided
    wanted = deletion(row, settings)
    after = wanted.due_at if wanted else None
    return Period(row, task, before, before if row.held and _is_sooner(after, before) else after)


def _is_sooner(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one < other)


def _change(session: Session, period: Period, settings: Settings, now: datetime) -> bool:
    if period.before == period.after:
        return False
    if period.task is not None:
        session.delete(period.task)
        session.flush()
    if period.after is not None and (wanted := deletion(period.row, settings)):
        tasks.add(session, wanted, now)
    return True


def hits(engine: Engine, match: Match, settings: Settings, now: datetime) -> int:
    """How many recordings of the last 30 days a rule would have been for."""
    columns = select(Recording).where(Recording.started_at > now - MONTH, Recording.started_at <= now)
    with reading(engine) as session:
        rows = session.exec(columns.order_by(col(Recording.id)).execution_options(yield_per=BATCH))
        return sum(matches(match, subject(row, settings.numbers, settings.group)) for row in rows)
