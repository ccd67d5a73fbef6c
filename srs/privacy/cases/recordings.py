"""What a case recorded, for those who investigate it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, BinaryIO

from sqlmodel import Session, select

from srs.archive.database import reading
from srs.privacy.cases import journal
from srs.privacy.cases.cabinet import Actor, Cabinet
from srs.privacy.cases.dossier import SHORTEST_PREFIX, find
from srs.privacy.cases.tables import Case, CaseRecording
from srs.privacy.errors import NoCase

PLAY = "play"
"""The entry of its chain that tells of sound that somebody got."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording of a case, opened."""

    row: CaseRecording
    facts: dict[str, Any]


def kept(session: Session, case: Case) -> list[CaseRecording]:
    """The rows of a case."""
    return list(session.exec(select(CaseRecording).where(CaseRecording.case_id == case.id)))


def opened(cabinet: Cabinet, case: Case) -> list[Kept]:
    """What a case recorded, oldest first.

    Raises:
        Sealed: its key is not here.
    """
    with reading(cabinet.engine) as session:
        rows = kept(session, case)
    found = [Kept(row, _facts(cabinet, row)) for row in rows]
    return sorted(found, key=lambda each: (each.facts["started_at"], each.row.id))


def _facts(cabinet: Cabinet, row: CaseRecording) -> dict[str, Any]:
    with cabinet.keys.open(row.case_id, BytesIO(row.facts)) as file:
        return dict(json.load(file))


def recordings(cabinet: Cabinet, actor: Actor, prefix: str, now: datetime) -> list[Kept]:
    """The recordings of a case, oldest first.

    Raises:
        NoCase: there is none that the actor investigates.
        Sealed: its key is not here.
    """
    case = find(cabinet, actor, prefix, now, investigator=True)
    journal.record(cabinet, case, actor, "list recordings", now)
    return opened(cabinet, case)


@contextmanager
def sound(cabinet: Cabinet, actor: Actor, prefix: str, recording: str, now: datetime) -> Iterator[BinaryIO]:
    """The sound of a recording of a case, WAV.

    Raises:
        NoCase: there is no such case or recording that the actor investigates, or there is no sound of it.
        Sealed, NotReady, StoreError: it cannot be opened here.
    """
    case = find(cabinet, actor, prefix, now, investigator=True)
    with reading(cabinet.engine) as session:
        found = [row for row in kept(session, case) if row.id.startswith(recording)]
    if len(found) != 1 or len(recording) < SHORTEST_PREFIX or found[0].file is None:
        journal.record(cabinet, case, actor, PLAY, now, allowed=False, details={"recording": recording})
        raise NoCase(f"case {case.id} has no recording {recording!r} with sound, or more than one")
    journal.record(cabinet, case, actor, PLAY, now, details={"recording": found[0].id})
    with cabinet.open(case.id, found[0].file) as file:
        yield file
