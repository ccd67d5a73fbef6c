"""What a case recorded, for those who investigate it."""

import json
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


def sound(
    cabinet: Cabinet, actor: Actor, prefix: str, recording: str, now: datetime, *, goes_on: bool = False
) -> tuple[CaseRecording, BinaryIO]:
    """A recording of a case and its sound, WAV; that it is played is written down.

    Args:
        goes_on: it is a later part of what is being played: once is enough.

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
    if not (goes_on and _is_noted(cabinet, case, actor, found[0])):
        journal.record(cabinet, case, actor, PLAY, now, details={"recording": found[0].id})
    return found[0], cabinet.open(case.id, found[0].file)


def _is_noted(cabinet: Cabinet, case: Case, actor: Actor, row: CaseRecording) -> bool:
    with reading(cabinet.engine) as session:
        plays = [each for each in journal.entries(session, case) if each.action == PLAY and each.allowed]
    return any((each.who, each.details.get("recording")) == (actor.label, row.id) for each in plays)
