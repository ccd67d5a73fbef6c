"""The end of a case: what it recorded is destroyed, or kept as evidence for a while."""

from collections.abc import Collection
from datetime import datetime

from srs.archive.database import writing
from srs.archive.errors import Held
from srs.privacy.cases import journal, letters
from srs.privacy.cases.cabinet import Actor, Cabinet
from srs.privacy.cases.destroying import clear, destroy
from srs.privacy.cases.dossier import find
from srs.privacy.cases.tables import Case, Outcome
from srs.privacy.errors import Misuse


def close(
    cabinet: Cabinet,
    actor: Actor,
    prefix: str,
    outcome: Outcome,
    reason: str,
    now: datetime,
    cleared: Collection[str] = (),
) -> Case:
    """Close a case; it records no more. Without an offence everything is destroyed at once, and letters are written.

    Args:
        cleared: with an offence, the persons of the case who had no part in it: what is only of them is destroyed at
            once, and they get letters.

    Raises:
        NoCase: there is none that the actor investigates.
        Misuse: it cannot end so.
        Held: it is under legal hold, and would be destroyed.
        StoreError, DatabaseError: it is closed and its key destroyed; the recorder goes on destroying the rest.
    """
    case = find(cabinet, actor, prefix, now, investigator=True)
    with writing(cabinet.engine) as session:
        case = journal.locked(session, case.id)
        _check(cabinet, case, outcome, reason, cleared)
        case.outcome, case.reason, case.closed_by, case.closed_at = outcome, reason, actor.label, now
        case.stopped_at = case.stopped_at or now
        case.cleared = [person for person in case.persons if person in cleared]
        told = case.persons if outcome == Outcome.NO_OFFENCE else case.cleared
        session.add_all(letters.write(case, letters.addressees(session, told), cabinet.settings, now))
        details = {"outcome": outcome, "cleared": len(case.cleared)}
        journal.append(session, cabinet, case, actor, "close", now, reason=reason, details=details)
    if outcome != Outcome.OFFENCE:
        return destroy(cabinet, case, actor, f"closed: {outcome}", now)
    return clear(cabinet, case, actor, now) if case.cleared else case


def _check(cabinet: Cabinet, case: Case, outcome: Outcome, reason: str, cleared: Collection[str]) -> None:
    if case.closed_at is not None:
        raise Misuse(f"case {case.id} is closed already: {case.outcome}")
    if not reason.strip():
        raise Misuse("say what the outcome rests on (--reason)")
    if (outcome == Outcome.WITHDRAWN) == (case.approved_at is not None) or outcome == Outcome.REFUSED:
        may = Outcome.WITHDRAWN if case.approved_at is None else f"{Outcome.OFFENCE} or {Outcome.NO_OFFENCE}"
        raise Misuse(f"case {case.id} can be closed as {may}, not as {outcome}")
    if cleared and (outcome != Outcome.OFFENCE or not set(cleared) < set(case.persons)):
        raise Misuse(f"with an offence some of {', '.join(case.persons)} may be cleared, not all: that is no offence")
    if outcome != Outcome.OFFENCE or cleared:
        check_destroyable(case)
    if cleared and not cabinet.keys.opens(case.id):
        raise Misuse(f"the key of case {case.id} is not on this machine: close it where it can be told whose a call is")


def check_destroyable(case: Case) -> None:
    """
    Raises:
        Held: it is under legal hold.
    """
    if case.held:
        raise Held(f"case {case.id} is under legal hold, which beats destruction: srs case hold {case.id} --release")


def hold(cabinet: Cabinet, actor: Actor, prefix: str, reason: str, now: datetime, *, held: bool) -> Case:
    """Put a case under legal hold, or release it: nothing destroys it meanwhile.

    Raises:
        NoCase: there is none that the actor may see.
        Misuse: it is destroyed.
    """
    case = find(cabinet, actor, prefix, now)
    with writing(cabinet.engine) as session:
        case = journal.locked(session, case.id)
        if case.destroyed_at is not None:
            raise Misuse(f"case {case.id} is destroyed: there is nothing to hold")
        case.held = held
        journal.append(session, cabinet, case, actor, "hold" if held else "release", now, reason=reason)
    return case


def destroy_closed(cabinet: Cabinet, actor: Actor, prefix: str, reason: str, now: datetime) -> Case:
    """Destroy a case that was closed with an offence, as when its evidence is with the police.

    Raises:
        NoCase, Held: as `close`.
        Misuse: it is not closed, or destroyed.
    """
    case = find(cabinet, actor, prefix, now, investigator=True)
    if case.closed_at is None or case.destroyed_at is not None:
        raise Misuse(f"case {case.id} is {'destroyed already' if case.destroyed_at else 'not closed: close it first'}")
    check_destroyable(case)
    return destroy(cabinet, case, actor, reason, now)
