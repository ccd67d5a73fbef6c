"""Tasks in the database: noted with the recording, taken by lease, done, tried again or given up.

A worker that dies keeps its task until the lease ends; then another takes it. What a worker writes of a task that is
not its own any more changes nothing. Every function has the time as an argument.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, Engine, Update, and_, bindparam, exists, func, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from srs.archive.database import reading, writing
from srs.handoff.errors import NoTask
from srs.handoff.tables import Task, TaskState

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

OPEN = (TaskState.DUE, TaskState.RUNNING)


@dataclass(frozen=True)
class Wanted:
    """A task that is to be noted."""

    kind: str
    recording: str | None
    due_at: datetime | None = None
    """None: at once."""
    name: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    position: int = 0
    blocks: bool = False
    about: str = ""
    """What it is about, if not a recording."""

    @property
    def key(self) -> str:
        """One task of a rule for a recording, and no second."""
        return f"{self.kind}/{self.name}/{self.recording or self.about}"


@dataclass(frozen=True)
class Policy:
    """When a task that failed is tried again."""

    attempts: int = 90
    """With these pauses: for three days and a half."""
    first: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(hours=1)

    def pause(self, attempts: int, chance: float) -> timedelta:
        """After so many attempts: twice as long each time, less up to a half by chance (0 to 1)."""
        doubled: timedelta = self.first * 2 ** min(attempts - 1, 30)
        return min(self.longest, doubled) * (1 - chance / 2)


@cache
def _insert(dialect: str) -> "sqlite.Insert | postgresql.Insert":
    """A task unless it stands there already, made once: to build the statement takes longer than to have it done."""
    table = SQLModel.metadata.tables[str(Task.__tablename__)]
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table).on_conflict_do_nothing(index_elements=["key"])
    from sqlalchemy.dialects import postgresql  # only here: it loads every PostgreSQL driver's part

    return postgresql.insert(table).on_conflict_do_nothing(index_elements=["key"])


def add(session: Session, wanted: Wanted, now: datetime) -> None:
    """Note a task in the session's transaction, unless it stands there already."""
    values = {
        "key": wanted.key,
        "kind": wanted.kind,
        "name": wanted.name,
        "recording_id": wanted.recording,
        "position": wanted.position,
        "blocks": wanted.blocks,
        "payload": wanted.payload,
        "state": TaskState.DUE.value,
        "due_at": wanted.due_at or now,
        "attempts": 0,
        "created_at": now,
    }
    session.flush()
    connection = session.connection()
    connection.execute(_insert(connection.dialect.name), values)


# Taking


def is_any_due(engine: Engine, kind: str, now: datetime) -> bool:
    """Whether `claim` may find one: a look that locks nothing."""
    with reading(engine) as session:
        return session.exec(_any_due(), params={"kind": kind, "now": now}).first() is not None


@cache
def _any_due() -> SelectOfScalar[int]:
    """Made once: each lane asks twice a second, and to make it takes longer than to ask."""
    return select(Task.id).where(*_takeable(bindparam("kind"), bindparam("now"))).limit(1)


def claim(engine: Engine, kind: str, owner: str, now: datetime, lease: timedelta) -> Task | None:
    """Take the task of a kind that is due longest; None if there is none."""
    first = select(Task.id).where(*_takeable(kind, now)).order_by(col(Task.due_at), col(Task.id)).limit(1)
    taken = (
        update(Task)
        .where(col(Task.id) == first.with_for_update(skip_locked=True).scalar_subquery())
        .values(state=TaskState.RUNNING, owner=owner, lease_until=now + lease, attempts=Task.attempts + 1)
        .returning(Task)
        .execution_options(synchronize_session=False)
    )
    with writing(engine) as session:
        return session.execute(taken).scalar_one_or_none()


def _takeable(kind: str | BindParameter[str], now: datetime | BindParameter[datetime]) -> tuple[Any, ...]:
    """Due, or of a worker that died; and with nothing before it."""
    before = aliased(Task)
    unfinished = or_(
        col(before.state).in_(OPEN), and_(col(before.state) == TaskState.FAILED, col(before.blocks).is_(True))
    )
    first = and_(col(before.recording_id) == Task.recording_id, col(before.position) < Task.position, unfinished)
    return (
        col(Task.kind) == kind,
        or_(
            and_(col(Task.state) == TaskState.DUE, col(Task.due_at) <= now),
            and_(col(Task.state) == TaskState.RUNNING, col(Task.lease_until) <= now),
        ),
        ~exists(select(before.id).where(first)),
    )


def renew(engine: Engine, tasks: Iterable[int], owner: str, until: datetime) -> None:
    """Keep tasks longer, those that are still the owner's."""
    mine = and_(col(Task.id).in_(tuple(tasks)), col(Task.state) == TaskState.RUNNING, col(Task.owner) == owner)
    with writing(engine) as session:
        session.execute(update(Task).where(mine).values(lease_until=until))


# What became of it. Only the owner's word counts: each tells whether it did.


def finish(engine: Engine, task: Task, now: datetime, also: Callable[[Session], None] | None = None) -> bool:
    """It is done; what `also` writes is written with it, or not at all."""
    with writing(engine) as session:
        done = _changed(session, task, state=TaskState.DONE, finished_at=now, last_error=None)
        if done and also is not None:
            also(session)
        return done


def put_off(engine: Engine, task: Task, reason: str, due_at: datetime) -> bool:
    """It has to wait; that was no attempt."""
    with writing(engine) as session:
        return _changed(
            session, task, state=TaskState.DUE, due_at=due_at, last_error=reason, attempts=task.attempts - 1
        )


def try_again(engine: Engine, task: Task, reason: str, due_at: datetime) -> bool:
    """It failed, and is tried again."""
    with writing(engine) as session:
        return _changed(session, task, state=TaskState.DUE, due_at=due_at, last_error=reason)


def give_up(engine: Engine, task: Task, reason: str, now: datetime) -> bool:
    """It failed for good: it needs a person."""
    with writing(engine) as session:
        return _changed(session, task, state=TaskState.FAILED, finished_at=now, last_error=reason)


def drop(engine: Engine, task: Task, reason: str, now: datetime) -> bool:
    """There is nothing left to do."""
    with writing(engine) as session:
        return _changed(session, task, state=TaskState.CANCELLED, finished_at=now, last_error=reason)


def _changed(session: Session, task: Task, **values: object) -> bool:
    mine = and_(col(Task.id) == task.id, col(Task.state) == TaskState.RUNNING, col(Task.owner) == task.owner)
    return _count(session, update(Task).where(mine).values(owner=None, lease_until=None, **values)) > 0


def _count(session: Session, statement: Update) -> int:
    """How many rows a statement changes."""
    found = session.execute(statement.returning(col(Task.id)).execution_options(synchronize_session=False))
    return len(found.all())


# What people do


def listing(engine: Engine, states: Sequence[str] = (), limit: int | None = None) -> list[Task]:
    """Tasks, those first that are due first."""
    query = select(Task).order_by(col(Task.due_at), col(Task.id)).limit(limit)
    with reading(engine) as session:
        return list(session.exec(query.where(col(Task.state).in_(states)) if states else query))


def of_recording(session: Session, recording: str) -> list[Task]:
    """All tasks of a recording."""
    return list(session.exec(select(Task).where(Task.recording_id == recording).order_by(col(Task.id))))


def open_kinds(engine: Engine) -> set[str]:
    """Of all tasks that are to be done."""
    with reading(engine) as session:
        return set(session.exec(select(Task.kind).where(col(Task.state).in_(OPEN)).distinct()))


def counts(engine: Engine) -> dict[str, int]:
    """How many tasks there are in each state."""
    with reading(engine) as session:
        found = dict(session.exec(select(Task.state, func.count()).group_by(Task.state)).all())
    return {state.value: found.get(state.value, 0) for state in TaskState}


def retry(engine: Engine, task: int, now: datetime) -> None:
    """Have a task done now that failed, was cancelled or is to be done later.

    Raises:
        NoTask: there is none, or it is running or done.
    """
    again = {"state": TaskState.DUE, "due_at": now, "attempts": 0, "last_error": None, "finished_at": None}
    _by_hand(engine, task, (TaskState.DUE, TaskState.FAILED, TaskState.CANCELLED), again)


def cancel(engine: Engine, task: int, now: datetime) -> None:
    """Have a task not done at all.

    Raises:
        NoTask: there is none, or it is running or over.
    """
    _by_hand(engine, task, (TaskState.DUE, TaskState.FAILED), {"state": TaskState.CANCELLED, "finished_at": now})


def _by_hand(engine: Engine, task: int, allowed: Sequence[str], values: dict[str, object]) -> None:
    with writing(engine) as session:
        change = update(Task).where(col(Task.id) == task, col(Task.state).in_(allowed)).values(values)
        if not _count(session, change):
            there = session.get(Task, task)
            raise NoTask(f"task {task} is {there.state}" if there else f"there is no task {task}")
