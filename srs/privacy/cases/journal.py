"""What was done with a case and tried: a chain of its own for each, whose last entry is signed in the case.

It is not in the audit, where a gap in the numbers, or an entry that may not be read, would tell that there is a case.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from sqlmodel import Session, col, select

from srs.archive.database import reading, writing
from srs.privacy import audit
from srs.privacy.audit import Act
from srs.privacy.cases.cabinet import Actor, Cabinet
from srs.privacy.cases.tables import Case, CaseEntry
from srs.privacy.checkpoints import signer

RECORDER = "recorder"
RECORD, DO_NOT = "record", "do not record"
"""Entries that only investigators are told of."""


def append(
    session: Session,
    cabinet: Cabinet,
    case: Case,
    by: Actor | str,
    action: str,
    now: datetime,
    *,
    reason: str | None = None,
    allowed: bool = True,
    details: dict[str, Any] | None = None,
) -> None:
    """Write it down in the transaction of a writer that has locked the case (`locked`).

    Args:
        by: who; a text is a part of the recorder.
        details: without persons and words of the case, which are not to outlive it.
    """
    who, origin = (by, RECORDER) if isinstance(by, str) else (by.label, by.origin)
    act = Act(who, action, f"case:{case.id}", origin, reason, allowed, details or {})
    last = session.exec(_of(case).order_by(col(CaseEntry.sequence).desc()).limit(1)).first()
    entry = CaseEntry(case_id=case.id, **audit.linked(act, last, now))
    session.add(entry)
    case.head = b64encode(signer(cabinet.settings).sign(_signed(entry))).decode()
    session.add(case)
    session.flush()


def record(cabinet: Cabinet, case: Case, by: Actor, action: str, now: datetime, **more: Any) -> None:  # noqa: ANN401
    """The same in a transaction of its own, before what it is about is done."""
    with writing(cabinet.engine) as session:
        append(session, cabinet, locked(session, case.id), by, action, now, **more)


def locked(session: Session, case_id: str) -> Case:
    """A case that nobody else writes to before the transaction ends."""
    return session.exec(select(Case).where(Case.id == case_id).with_for_update()).one()


def entries(session: Session, case: Case) -> list[CaseEntry]:
    """All of a case, oldest first."""
    return list(session.exec(_of(case).order_by(col(CaseEntry.sequence))))


def _of(case: Case) -> Any:  # noqa: ANN401 - what `select` returns has no name
    return select(CaseEntry).where(CaseEntry.case_id == case.id)


def _signed(entry: CaseEntry) -> bytes:
    return f"{entry.subject} {entry.sequence} {entry.hash}".encode()


def broken(cabinet: Cabinet) -> Iterator[str]:
    """What is wrong with the chains of all cases, in words that do not tell which it is."""
    with reading(cabinet.engine) as session:
        cases = list(session.exec(select(Case)))
        if any(not is_whole(session, cabinet, case) for case in cases):
            yield "the chain of a case was changed or cut off: srs case show tells its investigators"
    if not set(cabinet.keys.names()) <= {case.id for case in cases}:
        yield f"a case is gone whose key is in {cabinet.keys.folder}"


def is_whole(session: Session, cabinet: Cabinet, case: Case) -> bool:
    """Whether nothing in the chain of a case was changed, moved, added or taken out."""
    chain = entries(session, case)
    if not chain or any(True for _ in audit.breaks(chain)):
        return False
    try:
        signer(cabinet.settings).public_key().verify(b64decode(case.head or ""), _signed(chain[-1]))
    except InvalidSignature:
        return False
    return True
