"""The documents of a case, and which of them it lacks."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import PurePath
from tempfile import TemporaryFile
from typing import Final

from sqlmodel import Session, col, select

from srs.archive.database import reading, writing
from srs.privacy.cases import journal
from srs.privacy.cases.cabinet import Actor, Cabinet, put
from srs.privacy.cases.dossier import SHORTEST_PREFIX, find
from srs.privacy.cases.tables import Case, CasePaper, PaperKind
from srs.privacy.errors import Misuse, NoCase
from srs.privacy.report_words import Language
from srs.privacy.users import new_id

LARGEST: Final = 64 << 20
"""Octets."""
LONGEST_NAME: Final = 120


LACKS: Final[dict[PaperKind, dict[Language, str]]] = {
    PaperKind.DPIA: {
        "nl": "de gegevensbeschermingseffectbeoordeling (artikel 35 AVG): stuk dpia",
        "en": "the data protection impact assessment (GDPR article 35): paper dpia",
    },
    PaperKind.AUTHORITY: {
        "nl": "kenmerk en stuk van de voorafgaande raadpleging van de toezichthouder (artikel 36): stuk authority",
        "en": "reference and document of the supervisory authority's prior involvement (article 36): paper authority",
    },
    PaperKind.WORKS_COUNCIL: {
        "nl": "het stuk van de ondernemingsraad (works-council), of waarom die er niet over gaat",
        "en": "the works council's document, or why it has no say in it: paper works-council, or --no-works-council",
    },
}
"""What a case may lack, in words."""


@dataclass(frozen=True, slots=True)
class Document:
    """A paper that somebody brings."""

    kind: PaperKind
    name: str
    """Of the file."""
    content: bytes
    reference: str | None = None
    """Of the supervisory authority, with `PaperKind.AUTHORITY`."""


def papers(session: Session, case: Case) -> list[CasePaper]:
    """Of a case, oldest first."""
    query = select(CasePaper).where(CasePaper.case_id == case.id)
    return list(session.exec(query.order_by(col(CasePaper.added_at), col(CasePaper.id))))


def add_paper(cabinet: Cabinet, actor: Actor, prefix: str, document: Document, now: datetime) -> CasePaper:
    """Add a document, sealed for the case.

    Raises:
        NoCase: there is none that the actor investigates.
        Misuse: it is empty or too large; the case is closed, or approved by what it had.
    """
    case = find(cabinet, actor, prefix, now, investigator=True)
    _check(document)
    _check_may_add(case, document.kind)
    file = _stored(cabinet, case, id_ := new_id(), document.content)
    with writing(cabinet.engine) as session:
        case = journal.locked(session, case.id)
        _check_may_add(case, document.kind)
        paper = CasePaper(
            id=id_,
            case_id=case.id,
            kind=document.kind,
            name=PurePath(document.name).name[-LONGEST_NAME:],
            file=file,
            bytes=len(document.content),
            sha256=hashlib.sha256(document.content).hexdigest(),
            added_by=actor.label,
            added_at=now,
        )
        case.reference = document.reference or case.reference
        session.add(paper)
        details = {"kind": document.kind, "sha256": paper.sha256, "reference": document.reference}
        journal.append(session, cabinet, case, actor, "paper", now, details=details)
    return paper


def _check(document: Document) -> None:
    if not 0 < len(document.content) <= LARGEST:
        raise Misuse(f"{document.name}: a paper has something in it, and at most {LARGEST >> 20} MiB")
    if (document.kind == PaperKind.AUTHORITY) != bool(document.reference and document.reference.strip()):
        raise Misuse("the authority's document comes with its reference (--reference), and only that")


def _check_may_add(case: Case, kind: PaperKind) -> None:
    if case.closed_at is not None:
        raise Misuse(f"case {case.id} is closed")
    if case.approved_at is not None and kind != PaperKind.SUSPICION:
        raise Misuse(f"case {case.id} was approved on the papers that it had: only {PaperKind.SUSPICION} can be added")


def _stored(cabinet: Cabinet, case: Case, paper_id: str, content: bytes) -> str:
    with TemporaryFile() as buffer:
        return put(cabinet.store, case, f"papers/{paper_id}", BytesIO(content), buffer).file


def read_paper(cabinet: Cabinet, actor: Actor, prefix: str, paper_id: str, now: datetime) -> tuple[CasePaper, bytes]:
    """A document of a case, for those who investigate and those who approve.

    Raises:
        NoCase: there is no such case or paper.
        Sealed, NotReady: it cannot be opened here.
    """
    case = find(cabinet, actor, prefix, now)
    with reading(cabinet.engine) as session:
        found = [each for each in papers(session, case) if each.id.startswith(paper_id)]
    if len(found) != 1 or len(paper_id) < SHORTEST_PREFIX:
        raise NoCase(f"case {case.id} has no paper {paper_id!r}, or more than one")
    journal.record(cabinet, case, actor, "read paper", now, details={"sha256": found[0].sha256})
    with cabinet.open(case.id, found[0].file) as file:
        return found[0], file.read()


def missing(case: Case, having: list[CasePaper]) -> list[PaperKind]:
    """What a case lacks before it may be approved."""
    kinds = {paper.kind for paper in having}
    lacks = {
        PaperKind.DPIA: PaperKind.DPIA not in kinds,
        PaperKind.AUTHORITY: case.reference is None or PaperKind.AUTHORITY not in kinds,
        PaperKind.WORKS_COUNCIL: case.no_council is None and PaperKind.WORKS_COUNCIL not in kinds,
    }
    return [kind for kind, is_missing in lacks.items() if is_missing]
