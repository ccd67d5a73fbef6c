"""What is known of each recording: one row, and one for each of its legs."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Index, Text, TypeDecorator
from sqlmodel import Field, Relationship, SQLModel


class State(StrEnum):
    """Of a recording. The first two are told by the folder of captures and stand in no row."""

    RECORDING = "recording"
    CAPTURED = "captured"
    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, kept in UTC whatever the database does with time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


class Recording(SQLModel, table=True):
    """One recording session."""

    __tablename__ = "recording"
    __table_args__ = (
        Index("ix_recording_started_at_id", "started_at", "id"),
        Index("ix_recording_state_started_at", "state", "started_at"),
    )

    id: str = Field(primary_key=True, max_length=64)
    """Stem of the capture file it was made from; not to be guessed."""
    call_id: str | None = Field(default=None, sa_type=Text, index=True)
    """Of the recording dialog; None if its capture could not be read so far."""
    session_id: str | None = Field(default=None, sa_type=Text)
    """Of the communication session, as the metadata say."""
    state: str = Field(max_length=16)
    reason: str | None = Field(default=None, sa_type=Text)
    """Why it failed, in words."""
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime = Field(sa_type=UtcDateTime)
    duration_s: float
    caller: str | None = Field(default=None, sa_type=Text)
    callee: str | None = Field(default=None, sa_type=Text)
    file: str | None = Field(default=None, sa_type=Text)
    """Key of the sound in the store; None when there is no sound."""
    format: str | None = Field(default=None, max_length=16)
    bytes: int | None = Field(default=None, sa_type=BigInteger)
    sha256: str | None = Field(default=None, max_length=64)
    direction: str | None = Field(default=None, max_length=16)
    """`inbound`, `outbound`, `internal` or `transit`, as `[numbers]` tells extensions."""
    peer: str | None = Field(default=None, sa_type=Text)
    """Name of the `[[peer]]` it came from."""
    purpose: str | None = Field(default=None, sa_type=Text, index=True)
    """Why it is kept; None: not known."""
    tags: list[str] = Field(default_factory=list, sa_type=JSON)
    note: str | None = Field(default=None, sa_type=Text)
    """What people have to say of it."""
    key: str | None = Field(default=None, max_length=64)
    """Name of the key that the sound is sealed for; None: it is not sealed."""
    parties: str = Field(default="", sa_type=Text)
    """Addresses of all parties in the forms that patterns are compared with, in lower case, each with a line's end."""
    groups: list[str] | None = Field(default=None, sa_type=JSON)
    """Names of the `[[group]]`s that a party is of; None: not looked at yet."""
    grouped: str | None = Field(default=None, max_length=16, index=True)
    """Digest of the settings by which (`srs.archive.grouping`)."""
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    held: bool = False
    """A legal hold: must not be deleted."""
    created_at: datetime = Field(sa_type=UtcDateTime)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    legs: list["Leg"] = Relationship(
        sa_relationship_kwargs={"order_by": "Leg.channel", "lazy": "selectin", "cascade": "all, delete-orphan"}
    )
    identifiers: list["Identifier"] = Relationship(
        sa_relationship_kwargs={"order_by": "(Identifier.kind, Identifier.value)", "cascade": "all, delete-orphan"}
    )
    """Not loaded with the row: see `catalogue.identifiers`."""
    notices: list["Notice"] = Relationship(
        sa_relationship_kwargs={"order_by": "Notice.place", "lazy": "selectin", "cascade": "all, delete-orphan"}
    )


class Leg(SQLModel, table=True):
    """One party's stream in a recording."""

    __tablename__ = "leg"

    recording_id: str = Field(default="", foreign_key="recording.id", ondelete="CASCADE", primary_key=True)
    """Filled in when the recording it belongs to is saved."""
    channel: int = Field(primary_key=True)
    """Of the sound, from 0: the caller."""
    label: str | None = Field(default=None, sa_type=Text)
    aor: str | None = Field(default=None, sa_type=Text)
    name: str | None = Field(default=None, sa_type=Text)
    codec: str | None = Field(default=None, sa_type=Text)
    packets: int = 0
    lost: int = 0
    seconds: float = 0.0
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Identifier(SQLModel, table=True):
    """What another system calls the recorded call, or somebody in it; see `srs.siprec.identifiers`."""

    __tablename__ = "identifier"
    __table_args__ = (Index("ix_identifier_value", "value"),)

    recording_id: str = Field(default="", foreign_key="recording.id", ondelete="CASCADE", primary_key=True)
    """Filled in when the recording it belongs to is saved."""
    kind: str = Field(primary_key=True, max_length=32)
    value: str = Field(primary_key=True, max_length=255)


class Recorded(SQLModel, table=True):
    """How much was recorded in ten minutes, see `srs.archive.recorded`."""

    __tablename__ = "recorded"

    slot: datetime = Field(sa_type=UtcDateTime, primary_key=True)
    """When they began."""
    calls: int = 0
    packets: int = Field(default=0, sa_type=BigInteger)
    lost: int = Field(default=0, sa_type=BigInteger)
    bytes: int = Field(default=0, sa_type=BigInteger)
    """Of sound that was stored."""


class Reconciliation(SQLModel, table=True):
    """What a comparison with another system's list of calls found."""

    __tablename__ = "reconciliation"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    source: str = Field(sa_type=Text)
    """The list."""
    since: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
    """When the first and the last listed call began."""
    calls: int
    missing: int
    """Without a recording that has sound."""
    short: int
    double: int
    without_notice: int = 0
    """In which a party was not told of the recording."""


class NoticeState(StrEnum):
    """Whether a party was told that the call is recorded."""

    HEARD = "heard"
    """The announcement was found in what the party heard."""
    OUTSIDE = "outside"
    """The party was told before the recording began, as the client or the purpose says."""
    STAFF = "staff"
    """One of one's own, told otherwise."""
    MISSING = "missing"
    """It was looked for and not found."""
    UNCHECKED = "unchecked"
    """There is no announcement of the purpose to look for."""


class Notice(SQLModel, table=True):
    """What is known of one party's having been told."""

    __tablename__ = "notice"

    recording_id: str = Field(default="", foreign_key="recording.id", ondelete="CASCADE", primary_key=True)
    """Filled in when the recording it belongs to is saved."""
    place: int = Field(primary_key=True)
    """Of the party, in the order of coming."""
    party: str | None = Field(default=None, sa_type=Text)
    """Address, or else name."""
    from_s: float = 0.0
    to_s: float | None = None
    """Seconds since the start of the recording in which the party spoke; None: to the end."""
    state: str = Field(max_length=16, index=True)
    purpose: str | None = Field(default=None, sa_type=Text)
    second: float | None = None
    """Where the announcement begins, in seconds since the start; below 0 if it began before."""
    score: float | None = None
    """Share of it that was found, 0 to 1; of the best place if it was not heard."""
    channel: int | None = None
    """Of the leg it was found on."""
    told_by: str | None = Field(default=None, sa_type=Text)
    """With OUTSIDE: what says so."""


class Node(SQLModel, table=True):
    """A recorder that uses this archive, see `srs.archive.nodes`."""

    __tablename__ = "node"

    id: str = Field(primary_key=True, max_length=128)
    token: str = Field(max_length=64)
    """Of its data folder: tells it from another recorder with the same id."""
    host: str = Field(sa_type=Text)
    version: str = Field(sa_type=Text)
    started_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    state: str = Field(max_length=16)
