"""The second person: nothing is recorded before somebody else has seen the papers and said yes."""

from datetime import datetime

from sqlmodel import Session

from srs.archive.database import reading, writing
from srs.privacy.cases import journal
from srs.privacy.cases.cabinet import Actor, Cabinet, has
from srs.privacy.cases.closing import check_destroyable
from srs.privacy.cases.destroying import destroy
from srs.privacy.cases.dossier import find
from srs.privacy.cases.papers import LACKS, missing, papers
from srs.privacy.cases.tables import Case, Outcome
from srs.privacy.errors import Incomplete, Misuse, Refused
from srs.privacy.roles import Person, Right


def approve(cabinet: Cabinet, actor: Actor, prefix: str, now: datetime) -> Case:
    """Let a case record.

    Raises:
        NoCase: there is none that the actor may see.
        Refused: the actor opened it, works on it, or may not approve.
        Incomplete: it lacks papers.
        Misuse: it was decided already, or its time is over.
    """
    case = _to_decide(cabinet, actor, prefix, now)
    with reading(cabinet.engine) as session:
        lacks = missing(case, papers(session, case))
    if lacks:
        journal.record(cabinet, case, actor, "approve", now, allowed=False, details={"lacks": lacks})
        raise Incomplete("\n".join([f"case {case.id} lacks", *(f"- {LACKS[kind]['en']}" for kind in lacks)]))
    if case.until <= now:
        raise Misuse(f"the time of case {case.id} is over: it has to be opened anew")
    with writing(cabinet.engine) as session:
        case = _undecided(session, case.id)
        case.approved_by, case.approved_at = actor.label, now
        seen = {paper.id: paper.sha256 for paper in papers(session, case)}
        journal.append(session, cabinet, case, actor, "approve", now, details={"papers": seen})
    return case


def refuse(cabinet: Cabinet, actor: Actor, prefix: str, reason: str, now: datetime) -> Case:
    """Say no; what was written down for it is destroyed.

    Raises:
        NoCase, Refused, Misuse: as `approve`.
        Held: it is under legal hold.
        StoreError, DatabaseError: it is refused; the recorder goes on destroying the rest.
    """
    case = _to_decide(cabinet, actor, prefix, now)
    if not reason.strip():
        raise Misuse("say why it is refused")
    check_destroyable(case)
    with writing(cabinet.engine) as session:
        case = _undecided(session, case.id)
        case.outcome, case.reason, case.closed_by, case.closed_at = Outcome.REFUSED, reason, actor.label, now
        journal.append(session, cabinet, case, actor, "refuse", now, reason=reason)
    return destroy(cabinet, case, actor, f"refused: {reason}", now)


def _to_decide(cabinet: Cabinet, actor: Actor, prefix: str, now: datetime) -> Case:
    """The case, if the actor is a second person who may decide."""
    case = find(cabinet, actor, prefix, now)
    if why := _why_not(case, actor.person):
        journal.record(cabinet, case, actor, "decide", now, allowed=False, details={"why": why})
        raise Refused(why)
    return case


def _why_not(case: Case, person: Person) -> str | None:
    if not has(person, Right.APPROVE):
        return f"no role of {person.name} has the right {Right.APPROVE}"
    if person.id in case.investigators:
        return f"{person.name} opened case {case.id} or works on it: a second person decides"
    return None


def _undecided(session: Session, case_id: str) -> Case:
    case = journal.locked(session, case_id)
    if case.approved_at is not None or case.closed_at is not None:
        raise Misuse(f"case {case.id} was decided already")
    return case
