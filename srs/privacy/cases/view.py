"""All that may be told of a case to who may know of it."""

from datetime import datetime
from typing import Any

from srs.archive.catalogue import stamp
from srs.archive.database import reading
from srs.privacy.cases import journal
from srs.privacy.cases.cabinet import Actor, Cabinet, investigates
from srs.privacy.cases.dossier import find
from srs.privacy.cases.letters import letters
from srs.privacy.cases.papers import missing, papers
from srs.privacy.cases.recordings import kept
from srs.privacy.cases.steps import state, steps
from srs.privacy.cases.tables import Case

TOLD = ("id", "opened_by", "opened_at", "suspicion", "persons", "since", "until", "reference", "no_council")
DECIDED = ("approved_by", "approved_at", "stopped_at", "closed_by", "closed_at", "reason", "held", "destroyed_at")


def described(cabinet: Cabinet, actor: Actor, prefix: str, now: datetime) -> dict[str, Any]:
    """A case as JSON; how much it recorded is told to its investigators only.

    Raises:
        NoCase: there is none that the actor may see.
    """
    case = find(cabinet, actor, prefix, now)
    journal.record(cabinet, case, actor, "show", now)
    with reading(cabinet.engine) as session:
        case = session.get_one(Case, case.id)
        having, written = papers(session, case), letters(session, case)
        count = len(kept(session, case))
        chain, whole = journal.entries(session, case), journal.is_whole(session, cabinet, case)
    known = {"state": state(case, now), **_columns(case)}
    if investigates(case, actor.person):
        known["recordings"] = count
    else:
        chain = [entry for entry in chain if entry.action not in (journal.RECORD, journal.DO_NOT)]
    return {
        **known,
        "lacks": missing(case, having) if case.approved_at is None and case.closed_at is None else [],
        "due": [
            step.words("en")
            for step in steps(case, [each for each in written if each.sent_at is None], cabinet.settings, now)
        ],
        "papers": [
            {"id": each.id, "kind": each.kind, "name": each.name, "sha256": each.sha256, "added_by": each.added_by}
            for each in having
        ],
        "letters": [
            {"person": each.person, "due_at": stamp(each.due_at), "sent_at": each.sent_at and stamp(each.sent_at)}
            for each in written
        ],
        "receipt": case.receipt,
        "chain": "whole" if whole else "BROKEN: an entry was changed, taken out or cut off",
        "done": [
            f"{entry.at[:19]} {entry.who} {entry.action}{'' if entry.allowed else '  REFUSED'}" for entry in chain
        ],
    }


def _columns(case: Case) -> dict[str, Any]:
    values = {name: getattr(case, name) for name in (*TOLD, *DECIDED)}
    return {name: stamp(value) if isinstance(value, datetime) else value for name, value in values.items()}
