"""The end of a case: what it recorded is destroyed, or kept as evidence for a while."""

from contextlib import suppress
from datetime import datetime
from pathlib import PurePath
from typing import Any

from sqlmodel import Session, col, delete

from srs.archive import ledger
from srs.archive.database import reading, writing
from srs.archive.errors import Held
from srs.archive.ledger import Erased
from srs.privacy.cases import journal, letters
from srs.privacy.cases.cabinet import FOLDER, Actor, Cabinet
from srs.privacy.cases.dossier import find
from srs.privacy.cases.papers import papers
from srs.privacy.cases.recordings import PLAY, kept
from srs.privacy.cases.tables import Case, CasePaper, CaseRecording, Outcome
from srs.privacy.errors import Misuse

EXPORT = "export"
"""The entry of its chain that tells of an export."""


def close(cabinet: Cabinet, actor: Actor, prefix: str, outcome: Outcome, reason: str, now: datetime) -> Case:
    """Close a case; it records no more. Without an offence everything is destroyed at once, and letters are written.

    Raises:
        NoCase: there is none that the actor investigates.
        Misuse: it cannot end so.
        Held: it is under legal hold, and would be destroyed.
        StoreError, DatabaseError: it is closed and its key destroyed; the recorder goes on destroying the rest.
    """
    case = find(cabinet, actor, prefix, now, investigator=True)
    with writing(cabinet.engine) as session:
        case = journal.locked(session, case.id)
        _check(cabinet, case, outcome, reason)
        case.outcome, case.reason, case.closed_by, case.closed_at = outcome, reason, actor.label, now
        case.stopped_at = case.stopped_at or now
        if outcome == Outcome.NO_OFFENCE:
            session.add_all(letters.write(case, letters.addressees(session, case), cabinet.settings, now))
        journal.append(session, cabinet, case, actor, "close", now, reason=reason, details={"outcome": outcome})
    if outcome != Outcome.OFFENCE:
        return destroy(cabinet, case, actor, f"closed: {outcome}", now)
    return case


def _check(cabinet: Cabinet, case: Case, outcome: Outcome, reason: str) -> None:
    if case.closed_at is not None:
        raise Misuse(f"case {case.id} is closed already: {case.outcome}")
    if not reason.strip():
        raise Misuse("say what the outcome rests on (--reason)")
    if (outcome == Outcome.WITHDRAWN) == (case.approved_at is not None) or outcome == Outcome.REFUSED:
        may = Outcome.WITHDRAWN if case.approved_at is None else f"{Outcome.OFFENCE} or {Outcome.NO_OFFENCE}"
        raise Misuse(f"case {case.id} can be closed as {may}, not as {outcome}")
    if outcome != Outcome.OFFENCE:
        check_destroyable(cabinet, case)


def check_destroyable(cabinet: Cabinet, case: Case) -> None:
    """
    Raises:
        Held: it is under legal hold.
        Misuse: its key is not on this machine.
    """
    if case.held:
        raise Held(f"case {case.id} is under legal hold, which beats destruction: srs case hold {case.id} --release")
    if not cabinet.keys.opens(case.id):
        raise Misuse(f"the key of case {case.id} is not on this machine: close it where it is")


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
    check_destroyable(cabinet, case)
    return destroy(cabinet, case, actor, reason, now)


def destroy(cabinet: Cabinet, case: Case, by: Actor | str, reason: str, now: datetime) -> Case:
    """Destroy key, sound, papers and words of a closed case; the receipt stays. Once more does no harm.

    The key goes first: from then on no copy can be read, wherever it is.

    Raises:
        StoreError, DatabaseError: something is still to be done; the key is gone.
    """
    with reading(cabinet.engine) as session:
        rows, documents = kept(session, case), papers(session, case)
        copies = _copies(session, case, cabinet, rows, documents)
    cabinet.keys.destroy(case.id)
    for file in [*(file for row in rows for file in row.files), *(paper.file for paper in documents)]:
        cabinet.store.delete(file)
    if cabinet.store.root is not None:
        _remove_folders(cabinet, case)
    ledger.add(cabinet.settings.data_dir, _erased(case, rows, documents, now))
    with writing(cabinet.engine) as session:
        case = journal.locked(session, case.id)
        if case.destroyed_at is not None:  # another was quicker
            return case
        for table in (CaseRecording, CasePaper):
            session.execute(delete(table).where(col(table.case_id) == case.id))
        receipt = {"case": case.id, "at": now.isoformat(), "by": by if isinstance(by, str) else by.label}
        case.suspicion, case.persons, case.destroyed_at = None, [], now
        case.closed_at = case.closed_at or now
        case.receipt = {**receipt, "reason": reason, "copies": copies}
        details = {"copies": len(copies)}
        journal.append(session, cabinet, case, by, "destroy", now, reason=reason, details=details)
    return case


def _copies(
    session: Session, case: Case, cabinet: Cabinet, rows: list[CaseRecording], documents: list[CasePaper]
) -> list[dict[str, Any]]:
    """All that is known of, and what becomes of it."""
    found: list[dict[str, Any]] = [{"kind": "key", "where": str(cabinet.keys.folder / case.id), "became": "destroyed"}]
    stored = [("recording", row.file, row.sha256) for row in rows]
    stored += [("capture", file, digest) for row in rows for file, digest in row.captures.items()]
    stored += [(f"paper {paper.kind}", paper.file, paper.sha256) for paper in documents]
    for kind, file, digest in stored:
        where = file and cabinet.store.location(file)
        found.append({"kind": kind, "where": where, "sha256": digest, "became": "destroyed"})
    given = [each for each in journal.entries(session, case) if each.action in (EXPORT, PLAY) and each.allowed]
    found += [
        {"kind": each.action, "where": each.details.get("to") or each.who, "at": each.at, "became": "left"}
        for each in given
    ]
    return found


def _remove_folders(cabinet: Cabinet, case: Case) -> None:
    assert cabinet.store.root is not None
    folder = cabinet.store.root / FOLDER / case.id
    for each in (folder / "papers", folder, folder.parent):
        with suppress(OSError):  # there is something else in it, or it was never made
            each.rmdir()


def _erased(case: Case, rows: list[CaseRecording], documents: list[CasePaper], now: datetime) -> list[Erased]:
    """For the ledger: what a restored backup must not bring back."""
    files = [file for row in rows for file in row.files] + [paper.file for paper in documents]
    gone = [Erased(PurePath(file).stem, file, now.isoformat()) for file in files]
    return [*gone, Erased(case.id, None, now.isoformat())]
