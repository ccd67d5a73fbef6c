"""Cases opened and found, by those who may see them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from srs.archive.database import reading, writing
from srs.archive.subject import fits
from srs.privacy import audit, users
from srs.privacy.audit import Act, Wanted
from srs.privacy.cases import journal
from srs.privacy.cases.cabinet import Actor, Cabinet, has, investigates, is_concerned, oversees
from srs.privacy.cases.tables import Case
from srs.privacy.errors import Misuse, NoCase, Refused
from srs.privacy.roles import Person, Right
from srs.privacy.tables import AuditEntry

SHORTEST_PREFIX: Final = 4


@dataclass(frozen=True, slots=True)
class Opening:
    """What an investigator says."""

    suspicion: str
    persons: tuple[str, ...]
    """Patterns of numbers, extensions, addresses."""
    since: datetime
    until: datetime
    no_council: str | None = None
    """Why the works council has no say in it."""
    investigators: tuple[str, ...] = ()
    """Names of users who work on it too."""


# Finding


def find(cabinet: Cabinet, actor: Actor, prefix: str, now: datetime, *, investigator: bool = False) -> Case:
    """The case whose id begins so.

    Args:
        investigator: only for those who may know what it recorded.

    Raises:
        NoCase: there is none that the actor may see; one that may not be seen is not to be told from none, also not
            by how long that takes: what is done is the same.
    """
    allowed = investigates if investigator else sees
    with reading(cabinet.engine) as session:
        known = [case for case in session.exec(select(Case)) if allowed(case, actor.person)]
    found = [case for case in known if case.id.startswith(prefix)]
    if len(prefix) >= SHORTEST_PREFIX and len(found) == 1:
        return found[0]
    note_refusal(cabinet, actor, f"case:{prefix}", now)
    raise NoCase(f"there is no case {prefix!r} that {actor.person.name} may see")


def note_refusal(cabinet: Cabinet, actor: Actor, subject: str, now: datetime) -> None:
    """That somebody tried, in the audit of all; it says no more than they said themselves."""
    audit.record(cabinet.engine, Act(actor.label, "case", subject, actor.origin, allowed=False), now)


def attempts(session: Session, case: Case) -> list[AuditEntry]:
    """Who tried to get at a case and may not see it, oldest first."""
    subjects = [f"case:{case.id[:length]}" for length in range(SHORTEST_PREFIX, len(case.id) + 1)]
    query = audit.query(Wanted(action="case", refused=True)).where(col(AuditEntry.subject).in_(subjects))
    return list(session.exec(query.order_by(col(AuditEntry.sequence))))


def sees(case: Case, person: Person) -> bool:
    """Whether somebody may know of a case."""
    return investigates(case, person) or oversees(case, person)


def seen_by(cabinet: Cabinet, actor: Actor, now: datetime) -> list[Case]:
    """The cases that somebody may know of, newest first; that they looked is written down with each."""
    with reading(cabinet.engine) as session:
        cases = session.exec(select(Case).order_by(col(Case.opened_at).desc(), col(Case.id)))
        found = [case for case in cases if sees(case, actor.person)]
    for case in found:
        journal.record(cabinet, case, actor, "list", now)
    return found


# Opening


def open_case(cabinet: Cabinet, actor: Actor, told: Opening, now: datetime) -> Case:
    """Open a case and make its key. It records nothing before it is approved.

    Raises:
        Refused: the actor may not open cases.
        Misuse: what is told contradicts itself or the settings.
    """
    if not has(actor.person, Right.CASES):
        note_refusal(cabinet, actor, "case", now)
        raise Refused(f"no role of {actor.person.name} has the right {Right.CASES}")
    _check(cabinet, told, now)
    id_ = users.new_id()
    case = Case(
        id=id_,
        opened_by=actor.label,
        opened_at=now,
        investigators=[actor.person.id],
        suspicion=told.suspicion.strip(),
        persons=list(told.persons),
        since=told.since,
        until=told.until,
        no_council=told.no_council,
        public_key="",
    )
    with writing(cabinet.engine) as session:
        people = [actor.person, *(users.person(session, users.get(session, each)) for each in told.investigators)]
        for each in people:
            _check_investigator(case, each)
        case.investigators = list(dict.fromkeys(each.id for each in people))
        case.public_key = cabinet.keys.make(id_)
        session.add(case)
        session.flush()
        period = {"since": told.since.isoformat(), "until": told.until.isoformat()}
        journal.append(session, cabinet, case, actor, "open", now, details=period)
    return case


def _check(cabinet: Cabinet, told: Opening, now: datetime) -> None:
    longest = timedelta(days=cabinet.settings.cases.longest_days)
    if not told.suspicion.strip():
        raise Misuse("say what the suspicion is")
    if not told.persons or not all(any(map(str.isalnum, person)) for person in told.persons):
        raise Misuse("say whose calls the case is about: numbers, extensions or addresses, not everybody's")
    if not told.since < told.until or told.until <= now:
        raise Misuse("the end of a case must be after its start, and not be over")
    if told.until - told.since > longest:
        raise Misuse(f"a case records at most {longest.days} days ([cases] longest_days)")
    for person in told.persons:
        if fits(cabinet.settings.privacy.do_not_record, [person]):
            raise Misuse(f"{person} is on [privacy] do_not_record, which a case does not override: nothing is recorded")


def _check_investigator(case: Case, person: Person) -> None:
    if not has(person, Right.CASES):
        raise Misuse(f"no role of {person.name} has the right {Right.CASES}")
    if is_concerned(case, person):
        raise Refused(f"{person.name} is one of the persons of the case")
