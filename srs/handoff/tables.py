"""What is to happen to recordings, and what did: tasks, deliveries by mail, links, receipts of deletion."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from srs.archive.tables import UtcDateTime


class TaskState(StrEnum):
    """Of a task."""

    DUE = "due"
    """To be done, at its time."""
    RUNNING = "running"
    """A worker has it, until its lease ends."""
    DONE = "done"
    FAILED = "failed"
    """Given up: it needs a person."""
    CANCELLED = "cancelled"


class Task(SQLModel, table=True):
    """One thing that is to be done, mostly with a recording."""

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_kind_state_due_at", "kind", "state", "due_at"),
        Index("ix_task_state_due_at", "state", "due_at"),
    )

    id: int = Field(default=None, primary_key=True)
    key: str = Field(sa_type=Text, unique=True)
    """The same thing is not noted twice."""
    kind: str = Field(max_length=64)
    """The module that does it: `delete`, `mail`, `webhook` and so on."""
    name: str = Field(default="", sa_type=Text)
    """Of the rule that asked for it."""
    recording_id: str | None = Field(default=None, max_length=64, index=True)
    position: int = 0
    """It waits for tasks of the same recording with a lower one: until they are done, or have failed."""
    blocks: bool = False
    """When it has failed, those behind it still wait."""
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    state: str = Field(default=TaskState.DUE, max_length=16)
    due_at: datetime = Field(sa_type=UtcDateTime)
    owner: str | None = Field(default=None, max_length=128)
    """The worker that has it."""
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """From then on another may take it."""
    attempts: int = 0
    """How often a worker took it, the times that it only had to wait not counted."""
    last_error: str | None = Field(default=None, sa_type=Text)
    """Why it is not done yet, in words."""
    created_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Receipt(SQLModel, table=True):
    """That a recording was deleted."""

    __tablename__ = "receipt"

    id: int = Field(default=None, primary_key=True)
    recording_id: str = Field(max_length=64, index=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    reason: str = Field(sa_type=Text)
    """Why, in words."""
    by: str = Field(sa_type=Text)
    """A person, or the part of the recorder that did it."""
    copies: list[dict[str, str]] = Field(default_factory=list, sa_type=JSON)
    """Each copy known of: `kind` (sound, capture, mail, …), `where`, and what became of it in words: `deleted`, `left`,
    `to be deleted` …"""


class Delivery(SQLModel, table=True):
    """What the server of one recipient said to one mail."""

    __tablename__ = "delivery"

    recording_id: str = Field(primary_key=True, max_length=64)
    rule: str = Field(primary_key=True, max_length=200)
    recipient: str = Field(primary_key=True, max_length=320)
    message_id: str = Field(sa_type=Text)
    accepted: bool
    code: int
    """Of the reply (RFC 5321 section 4.2)."""
    reply: str = Field(sa_type=Text)
    server: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcDateTime)


class Link(SQLModel, table=True):
    """Leave to fetch one recording without signing in, for a while."""

    __tablename__ = "link"

    digest: str = Field(primary_key=True, max_length=64)
    """SHA-256 of the token; the token itself is only in the mail."""
    recording_id: str = Field(max_length=64, index=True)
    purpose: str = Field(sa_type=Text)
    """For the audit: the rule and the recipients."""
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
