"""What is destroyed of cases: all of one, or what is only of persons who had no part in the offence."""

from contextlib import suppress
from datetime import datetime
from pathlib import PurePath
from typing import Any

from sqlmodel import Session, col, delete

from srs.archive import ledger
from srs.archive.database import reading, writing
from srs.archive.ledger import Erased
from srs.archive.subject import fits
from srs.privacy.cases import journal
from srs.privacy.cases.cabinet import FOLDER, Actor, Cabinet
from srs.privacy.cases.papers import papers
from srs.privacy.cases.recordings import PLAY, Kept, kept, opened
from srs.privacy.cases.tables import Case, CasePaper, CaseRecording

EXPORT = "export"
"""The entry of its chain that tells of an export."""


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
        case.suspicion, case.persons, case.cleared, case.destroyed_at = None, [], [], now
        case.closed_at = case.closed_at or now
        case.receipt = _receipt(case, by, reason, copies, now)
        details = {"copies": len(copies)}
        journal.append(session, cabinet, case, by, "destroy", now, reason=reason, details=details)
    return case


def clear(cabinet: Cabinet, case: Case, by: Actor | str, now: datetime) -> Case:
    """Destroy what a case with an offence recorded of calls that are of cleared persons only. Once more does no harm.

    Raises:
        Sealed: the key of the case is not here.
        StoreError, DatabaseError: something is still to be done.
    """
    rows = [each.row for each in opened(cabinet, case) if _is_of_cleared(case, each)]
    with reading(cabinet.engine) as session:
        given = _given(session, case, {row.id for row in rows})
    for row in rows:
        for file in row.files:
            cabinet.store.delete(file)
    ledger.add(cabinet.settings.data_dir, _gone([file for row in rows for file in row.files], now))
    with writing(cabinet.engine) as session:
        case = journal.locked(session, case.id)
        if case.cleared_receipt is not None:  # another was quicker
            return case
        session.execute(delete(CaseRecording).where(col(CaseRecording.id).in_([row.id for row in rows])))
        copies = _stored(cabinet, rows, []) + given
        case.cleared_receipt = _receipt(case, by, "had no part in the offence", copies, now)
        journal.append(session, cabinet, case, by, "destroy a part", now, details={"copies": len(copies)})
    return case


def _is_of_cleared(case: Case, each: Kept) -> bool:
    parties = [each.facts.get("caller"), each.facts.get("callee")]
    parties += [leg["aor"] or leg["name"] for leg in each.facts.get("legs", ())]
    known = [party for party in parties if party]
    others = [person for person in case.persons if person not in case.cleared]
    return bool(known) and not fits(others, known)


def _receipt(case: Case, by: Actor | str, reason: str, copies: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    who = by if isinstance(by, str) else by.label
    return {"case": case.id, "at": now.isoformat(), "by": who, "reason": reason, "copies": copies}


def _copies(
    session: Session, case: Case, cabinet: Cabinet, rows: list[CaseRecording], documents: list[CasePaper]
) -> list[dict[str, Any]]:
    """All that is known of, and what becomes of it."""
    # A recorder that has it, and looks after the same cases, destroys it as soon as it sees that this one is.
    became = "destroyed" if cabinet.keys.opens(case.id) else "was not on this machine"
    key = {"kind": "key", "where": str(cabinet.keys.folder / case.id), "became": became}
    return [key, *_stored(cabinet, rows, documents), *_given(session, case)]


def _stored(cabinet: Cabinet, rows: list[CaseRecording], documents: list[CasePaper]) -> list[dict[str, Any]]:
    stored = [("recording", row.file, row.sha256) for row in rows]
    stored += [("capture", file, digest) for row in rows for file, digest in row.captures.items()]
    stored += [(f"paper {paper.kind}", paper.file, paper.sha256) for paper in documents]
    return [
        {"kind": kind, "where": file and cabinet.store.location(file), "sha256": digest, "became": "destroyed"}
        for kind, file, digest in stored
    ]


def _given(session: Session, case: Case, recordings: set[str] | None = None) -> list[dict[str, Any]]:
    """What was handed out, which the recorder cannot take back.

    Args:
        recordings: only of these.
    """
    return [
        {"kind": each.action, "where": each.details.get("to") or each.who, "at": each.at, "became": "left"}
        for each in journal.entries(session, case)
        if each.action in (EXPORT, PLAY) and each.allowed
        if recordings is None or each.details.get("recording") in recordings
    ]


def _remove_folders(cabinet: Cabinet, case: Case) -> None:
    assert cabinet.store.root is not None
    folder = cabinet.store.root / FOLDER / case.id
    for each in (folder / "papers", folder, folder.parent):
        with suppress(OSError):  # there is something else in it, or it was never made
            each.rmdir()


def _erased(case: Case, rows: list[CaseRecording], documents: list[CasePaper], now: datetime) -> list[Erased]:
    """For the ledger: what a restored backup must not bring back."""
    files = [file for row in rows for file in row.files] + [paper.file for paper in documents]
    return [*_gone(files, now), Erased(case.id, None, now.isoformat())]


def _gone(files: list[str], now: datetime) -> list[Erased]:
    return [Erased(PurePath(file).stem, file, now.isoformat()) for file in files]
