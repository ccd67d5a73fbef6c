"""Leave for one recording: asked for with a reason, granted by a second person, for a limited time."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from srs.archive.database import reading
from srs.archive.tables import Recording
from srs.privacy.errors import Misuse, Refused
from srs.privacy.roles import ON_RECORDINGS, Person, Right
from srs.privacy.tables import Grant, User
from srs.privacy.users import new_id

LONGEST: Final = timedelta(days=30)
USUAL: Final = timedelta(days=1)


def ask(session: Session, user: User, recording_id: str, right: Right, reason: str, now: datetime) -> Grant:
    """Ask for a recording by its whole id. Whether there is one is not told.

    Raises:
        Misuse: no reason, or not a right on recordings.
    """
    if not reason.strip():
        raise Misuse("say why the recording is wanted")
    if right not in ON_RECORDINGS:
        raise Misuse(f"{right} is no right on a recording")
    grant = Grant(
        id=new_id(), user_id=user.id, recording_id=recording_id, right=right, reason=reason.strip(), asked_at=now
    )
    session.add(grant)
    return grant


def decide(session: Session, grant_id: str, by: Person | str, now: datetime, period: timedelta | None) -> Grant:
    """Grant for a period, or refuse with None.

    Args:
        by: who decides; a text is an account of the machine (`cli:NAME`).

    Raises:
        Refused: it is one's own.
        Misuse: there is no such request, or it was decided, or the period is too long.
    """
    found = session.exec(
        select(Grant).where(col(Grant.id).startswith(grant_id, autoescape=True)).limit(2).with_for_update()
    ).all()
    if len(found) != 1 or len(grant_id) < 4:
        raise Misuse(f"there is no request {grant_id!r}, or more than one")
    (grant,) = found
    if isinstance(by, Person) and by.id == grant.user_id:
        raise Refused("nobody grants what they asked for themselves")
    if grant.decided_at is not None:
        raise Misuse(f"request {grant.id} was decided by {grant.decided_by} already")
    if period is not None and not timedelta(0) < period <= LONGEST:
        raise Misuse(f"leave holds at most {LONGEST.days} days")
    if (
        period is not None
        and session.exec(select(Recording.id).where(Recording.id == grant.recording_id)).first() is None
    ):
        raise Misuse(f"there is no recording {grant.recording_id}: refuse the request")
    grant.decided_by, grant.decided_at = by if isinstance(by, str) else by.label, now
    grant.until = None if period is None else now + period
    return grant


def of_person(session: Session, person: Person, recording_id: str) -> list[Grant]:
    """What somebody asked for of a recording."""
    query = select(Grant).where(Grant.user_id == person.id, Grant.recording_id == recording_id)
    return list(session.exec(query))


def of_user(session: Session, user: User) -> list[Grant]:
    """All that somebody asked for, newest first."""
    return list(session.exec(select(Grant).where(Grant.user_id == user.id).order_by(col(Grant.asked_at).desc())))


def requests(engine: Engine, *, undecided: bool = False) -> list[tuple[Grant, User]]:
    """Requests and who made them, newest first."""
    query = select(Grant, User).join(User).order_by(col(Grant.asked_at).desc())
    if undecided:
        query = query.where(col(Grant.decided_at).is_(None))
    with reading(engine) as session:
        return [(grant, user) for grant, user in session.exec(query)]
