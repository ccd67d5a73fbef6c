"""What is to be done with recordings after the call, and what was deleted."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine
from sqlmodel import col, select

from srs.archive.database import reading
from srs.handoff import review, tasks
from srs.handoff.tables import Receipt, Task, TaskState
from srs.privacy.roles import Right
from srs.web.api.caller import having
from srs.web.api.once import Once
from srs.web.api.paging import newest
from srs.web.api.words import Cursor, Limit, Listed, Number
from srs.web.asker import Asker, NotFound

router = APIRouter(tags=["after the call"], route_class=Once)

Watcher = Annotated[Asker, having(Right.WATCH)]
Reporter = Annotated[Asker, having(Right.REPORT)]
Keeper = Annotated[Asker, having(Right.SETTINGS)]


class Todo(BaseModel):
    """A task."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: str
    name: str
    recording_id: str | None
    state: TaskState
    attempts: int
    last_error: str | None
    due_at: datetime
    created_at: datetime
    finished_at: datetime | None


@router.get("/tasks")
def listed(
    caller: Watcher,
    state: Annotated[list[TaskState] | None, Query(description="May be given again.", max_length=5)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Listed[Todo]:
    """Tasks, newest first."""
    query = select(Task).where(col(Task.state).in_(state)) if state else select(Task)
    found, older = newest(caller.house.engine, query, "id", cursor, limit)
    return Listed(items=[Todo.model_validate(task) for task in found], next=older)


@router.get("/tasks/{number}")
def one(caller: Watcher, number: Number) -> Todo:
    """One task."""
    return task_of(caller, number)


def task_of(caller: Asker, number: int) -> Todo:
    """
    Raises:
        NotFound: there is none.
    """
    with reading(caller.house.engine) as session:
        task = session.get(Task, number)
    if task is None:
        raise NotFound
    return Todo.model_validate(task)


@router.post("/tasks/{number}/retry")
def retry(caller: Keeper, number: Number) -> Todo:
    """Have a task done now that failed, was cancelled or is to be done later."""
    return _by_hand(caller, number, "retry task", tasks.retry)


@router.post("/tasks/{number}/cancel")
def cancel(caller: Keeper, number: Number) -> Todo:
    """Have a task not done at all."""
    return _by_hand(caller, number, "cancel task", tasks.cancel)


def _by_hand(caller: Asker, number: int, action: str, do: Callable[[Engine, int, datetime], None]) -> Todo:
    task_of(caller, number)
    caller.write(action, f"task:{number}")
    do(caller.house.engine, number, caller.now)
    return task_of(caller, number)


class Deletion(BaseModel):
    """The receipt of a deletion."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    recording_id: str
    at: datetime
    reason: str
    by: str
    copies: list[dict[str, Any]]


@router.get("/deletions")
def deletions(caller: Reporter, cursor: Cursor = None, limit: Limit = 50) -> Listed[Deletion]:
    """Receipts of what was deleted, newest first."""
    found, older = newest(caller.house.engine, select(Receipt), "id", cursor, limit)
    return Listed(items=[Deletion.model_validate(each) for each in found], next=older)


class Preview(BaseModel):
    """How many recordings are deleted when: as is in force, and as the settings say."""

    model_config = ConfigDict(from_attributes=True)

    class Counts(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        now: int
        week: int
        later: int
        never: int

    in_force: Counts
    by_settings: Counts
    sooner: int
    later: int
    held: int


@router.get("/retention/preview")
def preview(caller: Keeper) -> Preview:
    """What the periods of the settings would change for the recordings there are."""
    return Preview.model_validate(review.preview(caller.house.engine, caller.house.settings, caller.now))


class Applied(BaseModel):
    changed: int


@router.post("/retention/apply")
def apply(caller: Keeper) -> Applied:
    """Put them in force."""
    caller.write("apply retention", "settings")
    return Applied(changed=review.apply(caller.house.engine, caller.house.settings, caller.now))
