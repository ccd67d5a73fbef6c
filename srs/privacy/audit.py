"""What was done and tried: a chain of entries, each with the hash of the one before, in the order they were written.

An entry that is changed, taken out, put in or moved breaks the chain; that the last ones are cut off shows against the
signed checkpoints (srs.privacy.checkpoints).
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from srs.archive.database import reading, writing
from srs.privacy.tables import AuditEntry, Chained

FIRST: Final = "0" * 64
"""What stands for the hash before the first entry."""
HASHED: Final = ("sequence", "at", "who", "action", "subject", "reason", "origin", "allowed", "details", "previous")
_ADVISORY_LOCK: Final = 0x73727322
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was done or tried."""

    who: str
    """`user:NAME`, `token:NAME/TOKEN`, `cli:NAME` (an account of the machine) or `recorder`."""
    action: str
    subject: str
    """On what: `recording:ID`, `user:NAME`, `case:ID`."""
    origin: str
    """Where from: an address, or `cli`."""
    reason: str | None = None
    allowed: bool = True
    """False: it was tried and refused."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """As JSON has it; no sound, no passwords."""


def record(engine: Engine, act: Act, now: datetime) -> AuditEntry:
    """Write it down in a transaction of its own.

    Raises:
        DatabaseError: it is not written; what it is about must not be done.
    """
    with writing(engine) as session:
        return append(session, act, now)


def append(session: Session, act: Act, now: datetime) -> AuditEntry:
    """Write it down in the transaction of a writer (`writing`), which should end soon: others wait for it."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    last = newest(session)
    entry = AuditEntry(**linked(act, last, now))
    session.add(entry)
    session.flush()
    return entry


def newest(session: Session) -> AuditEntry | None:
    """The last entry."""
    return session.exec(select(AuditEntry).order_by(col(AuditEntry.sequence).desc()).limit(1)).first()


def linked(act: Act, last: Chained | None, now: datetime) -> dict[str, Any]:
    """The columns of an entry that follows the last one."""
    content = {
        "sequence": 1 if last is None else last.sequence + 1,
        "at": now.astimezone(UTC).isoformat(timespec="microseconds"),
        "who": act.who,
        "action": str(act.action),
        "subject": act.subject,
        "reason": act.reason,
        "origin": act.origin,
        "allowed": act.allowed,
        "details": dict(act.details),
        "previous": FIRST if last is None else last.hash,
    }
    return {**content, "hash": _hash(content)}


def hash_of(entry: Chained) -> str:
    """SHA-256 of the entry without its hash: JSON, keys sorted, no spaces, UTF-8."""
    return _hash({name: getattr(entry, name) for name in HASHED})


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; None means any."""

    who: str | None = None
    action: str | None = None
    subject: str | None = None
    """These three may end with `*`."""
    since: datetime | None = None
    until: datetime | None = None
    refused: bool | None = None


def entries(
    engine: Engine, wanted: Wanted, *, newest_first: bool = False, limit: int | None = None
) -> list[AuditEntry]:
    """The entries that fit, oldest first if not said otherwise."""
    order = col(AuditEntry.sequence)
    with reading(engine) as session:
        return list(session.exec(query(wanted).order_by(order.desc() if newest_first else order).limit(limit)))


def query(wanted: Wanted) -> SelectOfScalar[AuditEntry]:
    """What finds the entries that fit."""
    asked = select(AuditEntry)
    for column, text_ in (
        (AuditEntry.who, wanted.who),
        (AuditEntry.action, wanted.action),
        (AuditEntry.subject, wanted.subject),
    ):
        if text_ is not None:
            fits = col(column).startswith(text_[:-1], autoescape=True) if text_.endswith("*") else col(column) == text_
            asked = asked.where(fits)
    if wanted.since is not None:
        asked = asked.where(col(AuditEntry.at) >= wanted.since.astimezone(UTC).isoformat(timespec="microseconds"))
    if wanted.until is not None:
        asked = asked.where(col(AuditEntry.at) < wanted.until.astimezone(UTC).isoformat(timespec="microseconds"))
    if wanted.refused is not None:
        asked = asked.where(col(AuditEntry.allowed).is_(not wanted.refused))
    return asked


def described(entry: Chained) -> dict[str, Any]:
    """An entry for export, with which its hash can be computed again."""
    return {name: getattr(entry, name) for name in (*HASHED, "hash")}


def all_entries(session: Session) -> Iterator[AuditEntry]:
    """In order, a page at a time: there may be millions."""
    after = 0
    while page := session.exec(
        select(AuditEntry).where(AuditEntry.sequence > after).order_by(col(AuditEntry.sequence)).limit(_PAGE)
    ).all():
        yield from page
        after = page[-1].sequence
        session.expunge_all()


def broken(session: Session) -> Iterator[str]:
    """Where the chain is broken, in words."""
    yield from breaks(all_entries(session))


def breaks(entries: Iterable[Chained]) -> Iterator[str]:
    """The same of any chain, which is given from its beginning."""
    expected, previous = 1, FIRST
    for entry in entries:
        if entry.sequence != expected:
            yield f"entries {expected} to {entry.sequence - 1} are missing"
        elif entry.previous != previous:
            yield f"entry {entry.sequence} does not follow the one before it: one of them was replaced or moved"
        if entry.hash != hash_of(entry):
            yield f"entry {entry.sequence} ({entry.at}, {entry.who}, {entry.action}) was changed"
        expected, previous = entry.sequence + 1, entry.hash
