"""All that may be told of a case to who may know of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from srs.archive.catalogue import stamp
from srs.archive.database import reading
from srs.privacy.cases import journal
from srs.privacy.cases.cabinet import Actor, Cabinet, investigates, oversees
from srs.privacy.cases.dossier import attempts, find
from srs.privacy.cases.letters import letters
from srs.privacy.cases.papers import LACKS, missing, papers
from srs.privacy.cases.recordings import kept
from srs.privacy.cases.steps import Step, state, steps
from srs.privacy.cases.tables import Case, CaseLetter, CasePaper, PaperKind
from srs.privacy.tables import Chained

TOLD = ("id", "opened_by", "opened_at", "suspicion", "persons", "cleared", "since", "until", "reference", "no_council")
DECIDED = ("approved_by", "approved_at", "stopped_at", "closed_by", "closed_at", "reason", "held", "destroyed_at")


@dataclass(frozen=True, slots=True)
class View:
    """A case as somebody sees it."""

    case: Case
    state: str
    lacks: list[PaperKind]
    """Before it may be approved."""
    due: list[Step]
    papers: list[CasePaper]
    letters: list[CaseLetter]
    done: Sequence[Chained]
    tried: Sequence[Chained]
    """By those who may not see it."""
    whole: bool
    """Whether nothing in the chain of what was done was changed."""
    recordings: int | None
    """How much it recorded; None: whoever looks does not investigate it."""
    may_decide: bool
    """Whether whoever looks may approve or refuse it now."""


def view(cabinet: Cabinet, actor: Actor, prefix: str, now: datetime) -> View:
    """A case; how much it recorded is told to its investigators only.

    Raises:
        NoCase: there is none that the actor may see.
    """
    case = find(cabinet, actor, prefix, now)
    journal.record(cabinet, case, actor, "show", now)
    with reading(cabinet.engine) as session:
        case = session.get_one(Case, case.id)
        having, written = papers(session, case), letters(session, case)
        count = len(kept(session, case)) if investigates(case, actor.person) else None
        chain, whole = journal.entries(session, case), journal.is_whole(session, cabinet, case)
        tried = attempts(session, case)
    if count is None:
        chain = [entry for entry in chain if entry.action not in (journal.RECORD, journal.DO_NOT)]
    undecided = case.approved_at is None and case.closed_at is None
    return View(
        case=case,
        state=state(case, now),
        lacks=missing(case, having) if undecided else [],
        due=steps(case, [each for each in written if each.sent_at is None], cabinet.settings, now),
        papers=having,
        letters=written,
        done=chain,
        tried=tried,
        whole=whole,
        recordings=count,
        may_decide=undecided and oversees(case, actor.person) and actor.person.id not in case.investigators,
    )


def described(seen: View) -> dict[str, Any]:
    """A case as JSON, in words."""
    known = {"state": seen.state, **_columns(seen.case)}
    if seen.recordings is not None:
        known["recordings"] = seen.recordings
    return {
        **known,
        "lacks": [LACKS[kind]["en"] for kind in seen.lacks],
        "due": [step.words("en") for step in seen.due],
        "papers": [
            {"id": each.id, "kind": each.kind, "name": each.name, "sha256": each.sha256, "added_by": each.added_by}
            for each in seen.papers
        ],
        "letters": [
            {"person": each.person, "due_at": stamp(each.due_at), "sent_at": each.sent_at and stamp(each.sent_at)}
            for each in seen.letters
        ],
        "receipt": seen.case.receipt,
        "cleared_receipt": seen.case.cleared_receipt,
        "chain": "whole" if seen.whole else "BROKEN: an entry was changed, taken out or cut off",
        "done": [_line(entry) for entry in seen.done],
        "tried": [_line(entry) for entry in seen.tried],
    }


def _line(entry: Chained) -> str:
    return f"{entry.at[:19]} {entry.who} {entry.action}{'' if entry.allowed else '  REFUSED'}"


def _columns(case: Case) -> dict[str, Any]:
    values = {name: getattr(case, name) for name in (*TOLD, *DECIDED)}
    return {name: stamp(value) if isinstance(value, datetime) else value for name, value in values.items()}
