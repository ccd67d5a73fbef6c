"""Who may do what, and what was done: users, their roles, leaves, tokens, sessions, the audit."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Text
from sqlmodel import Field, SQLModel

from srs.archive.tables import UtcDateTime


class User(SQLModel, table=True):
    """Somebody who may sign in. Without a role that leads nowhere."""

    __tablename__ = "person"

    id: str = Field(primary_key=True, max_length=32)
    """Random."""
    name: str = Field(sa_type=Text, unique=True)
    mail: str | None = Field(default=None, sa_type=Text)
    language: str = Field(default="en", max_length=8)
    extensions: list[str] = Field(default_factory=list, sa_type=JSON)
    """Patterns of the person's own numbers and addresses."""
    password: str | None = Field(default=None, sa_type=Text)
    """Argon2; None: signs in elsewhere, or not at all."""
    must_change: bool = False
    """The password was made by somebody else and is good for nothing but a new one."""
    password_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When a password that must be changed stops letting anybody in."""
    totp_secret: str | None = Field(default=None, sa_type=Text)
    totp_pending: str | None = Field(default=None, sa_type=Text)
    """A secret that was shown and whose first code was not yet seen."""
    totp_step: int = Field(default=0, sa_type=BigInteger)
    """Time step of the last code that was taken: none is taken twice (RFC 6238 section 5.2)."""
    oidc_subject: str | None = Field(default=None, sa_type=Text, unique=True)
    """Issuer and subject, with a space between them."""
    oidc_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Until then whoever comes from the provider under this name is this user, and the password is good no more."""
    disabled: bool = False
    failures: int = 0
    """Attempts to sign in since the last that succeeded."""
    locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)


class RecoveryCode(SQLModel, table=True):
    """In place of a code of the second factor, once."""

    __tablename__ = "recovery_code"

    user_id: str = Field(primary_key=True, max_length=32, foreign_key="person.id", ondelete="CASCADE")
    digest: str = Field(primary_key=True, max_length=64)
    """SHA-256; the code itself was shown once."""


class RoleOf(SQLModel, table=True):
    """A role of a user, where it holds, and what it allows there."""

    __tablename__ = "role"

    user_id: str = Field(primary_key=True, max_length=32, foreign_key="person.id", ondelete="CASCADE")
    role: str = Field(primary_key=True, max_length=32)
    scope: str = Field(max_length=8)
    """`own`, `group` or `all`."""
    groups: list[str] = Field(default_factory=list, sa_type=JSON)
    """Names of `[[group]]`s, with scope `group`."""
    excluded: list[str] = Field(default_factory=list, sa_type=JSON)
    """Patterns of persons whose calls it does not reach."""
    rights: list[str] = Field(default_factory=list, sa_type=JSON)
    """On recordings."""


class Grant(SQLModel, table=True):
    """One recording, asked for with a reason, and perhaps granted by a second person."""

    __tablename__ = "grant"

    id: str = Field(primary_key=True, max_length=32)
    user_id: str = Field(max_length=32, foreign_key="person.id", ondelete="CASCADE", index=True)
    recording_id: str = Field(max_length=64, index=True)
    right: str = Field(max_length=16)
    reason: str = Field(sa_type=Text)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: str | None = Field(default=None, sa_type=Text)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When it ends; None: it was refused, or not decided yet."""


class Token(SQLModel, table=True):
    """Lets a program act for a user."""

    __tablename__ = "token"

    id: str = Field(primary_key=True, max_length=32)
    user_id: str = Field(max_length=32, foreign_key="person.id", ondelete="CASCADE", index=True)
    name: str = Field(sa_type=Text)
    digest: str = Field(max_length=64, unique=True)
    """SHA-256; the token itself was shown once."""
    rights: list[str] = Field(default_factory=list, sa_type=JSON)
    """The most that it allows, whatever the user may."""
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class WebSession(SQLModel, table=True):
    """A browser that a user signed in with."""

    __tablename__ = "web_session"

    digest: str = Field(primary_key=True, max_length=64)
    """SHA-256 of what the cookie says."""
    user_id: str = Field(max_length=32, foreign_key="person.id", ondelete="CASCADE", index=True)
    origin: str = Field(sa_type=Text)
    """Where from."""
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    purpose: str | None = Field(default=None, sa_type=Text)
    """What the user wants recordings for, as last said in this browser."""


class Chained(SQLModel):
    """Something that was done or tried, in a chain of such: never changed, never removed."""

    sequence: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    """From 1, without gaps."""
    at: str = Field(max_length=32)
    """ISO 8601 in UTC; text, so that it is hashed as it is kept."""
    who: str = Field(sa_type=Text)
    """`user:NAME`, `token:NAME/TOKEN`, `cli:NAME` (an account of the machine) or `recorder`."""
    action: str = Field(max_length=64)
    subject: str = Field(sa_type=Text)
    """On what: `recording:ID`, `user:NAME`, `case:ID`."""
    reason: str | None = Field(default=None, sa_type=Text)
    origin: str = Field(sa_type=Text)
    """Where from."""
    allowed: bool = True
    """False: it was tried and refused."""
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    previous: str = Field(max_length=64)
    """Hash of the entry before."""
    hash: str = Field(max_length=64)
    """SHA-256 of all of the above as canonical JSON."""


class AuditEntry(Chained, table=True):
    """An entry of the audit; cases have chains of their own (`srs.privacy.cases.journal`)."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_subject", "subject"), Index("ix_audit_who", "who"))
