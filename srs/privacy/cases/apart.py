"""What cases record: a copy of the call for each, sealed for its key, without a trace in what others keep."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import bindparam
from sqlmodel import col, select

from srs.archive import audio, captures, ledger
from srs.archive.catalogue import LEG_FIELDS, stamp
from srs.archive.database import reading, writing
from srs.archive.keep import Archive, is_unheard
from srs.archive.subject import fits, subject
from srs.archive.tables import Recording, UtcDateTime
from srs.config import Settings
from srs.handoff.module import utc_now
from srs.privacy.cases import journal
from srs.privacy.cases.cabinet import Cabinet, put, sealed
from srs.privacy.cases.tables import Case, CaseRecording
from srs.privacy.purpose import NEVER, is_never_recorded

if TYPE_CHECKING:
    from srs.archive.finalise import Recording as Finalised

_BEGAN, _ENDED = bindparam("began", type_=UtcDateTime), bindparam("ended", type_=UtcDateTime)
_OPEN = select(Case).where(
    col(Case.approved_at) < _ENDED, col(Case.closed_at).is_(None), col(Case.since) < _ENDED, col(Case.until) > _BEGAN
)
"""Cases that a call may be one of. Made once: every call asks."""
FORMAT = "wav"
"""Of what cases record, whatever the archive keeps: nothing is lost, each party has a channel of its own."""


@dataclass(frozen=True, slots=True)
class Apart:
    """For `Archive.on_heard`. The time of a call is that of its packets; `now` only tells a clock that was set back."""

    settings: Settings
    now: Callable[[], datetime] = utc_now

    def __call__(self, archive: Archive, row: Recording, finalised: "Finalised") -> None:
        """Keep a copy for each case that the call is one of.

        Raises:
            DatabaseError, StoreError, OSError: not now.
        """
        for case in self._cases(archive, row):
            self._keep(Cabinet(self.settings, archive.engine, archive.store), case, row, finalised, archive)

    def _cases(self, archive: Archive, row: Recording) -> list[Case]:
        with reading(archive.engine) as session:
            found = session.scalars(_OPEN, {"began": row.started_at, "ended": row.ended_at}).all()
        if not found or ledger.has(archive.data_dir, row.id):
            return []
        parties = subject(row, self.settings.numbers, self.settings.group).parties
        return [case for case in found if fits(case.persons, parties) and not ledger.has(archive.data_dir, case.id)]

    def _keep(self, into: Cabinet, case: Case, row: Recording, finalised: "Finalised", archive: Archive) -> None:
        recording = recording_id(case, row)
        if why := self._why_not(case, row):
            facts = {"started_at": stamp(row.started_at), "reason": why}
            self._note(into, CaseRecording(id=recording, case_id=case.id, facts=_sealed(case, facts)))
            return
        sound = archive.channels(finalised)
        from_s, to_s = part(case, row)
        lasts = case.until >= row.ended_at
        wanted = sound.part(round(from_s * sound.rate), len(sound) if lasts else round(to_s * sound.rate))
        with TemporaryFile(dir=archive.data_dir) as plain, TemporaryFile(dir=archive.data_dir) as buffer:
            audio.write(plain, FORMAT, wanted.pieces(), len(wanted.columns), wanted.rate, {})
            facts = facts_of(row, from_s, to_s) | {"sha256": _digest(plain)}
            stored = put(archive.store, case, recording, plain, buffer)
        kept = CaseRecording(id=recording, case_id=case.id, facts=_sealed(case, facts), **asdict(stored))
        if from_s == 0 and lasts and any(map(is_unheard, row.legs)):
            kept.captures = dict(self._captures(archive, case, row, recording))
        if not self._note(into, kept):
            for file in kept.files:
                archive.store.delete(file)

    def _captures(self, archive: Archive, case: Case, row: Recording, recording: str) -> Iterator[tuple[str, str]]:
        """Seal the packets of a call that is in the period with all its time."""
        capture = archive.data_dir / "captures" / "ended" / f"{captures.stem(row)}.pcap"
        for number, path in enumerate(filter(Path.exists, (capture, captures.far_side(capture))), 1):
            with path.open("rb") as packets, TemporaryFile(dir=archive.data_dir) as buffer:
                digest = _digest(packets)
                yield put(archive.store, case, f"{recording}.{number}.pcap", packets, buffer).file, digest

    def _why_not(self, case: Case, row: Recording) -> str | None:
        if is_never_recorded(row, self.settings):
            return NEVER
        assert case.approved_at is not None
        if self.now() < (case.stopped_at or case.approved_at):
            return "not recorded: the recorder's clock was set back to a time in which the case had not ended or begun"
        return None

    def _note(self, into: Cabinet, kept: CaseRecording) -> bool:
        """Write it down, unless the case was closed in the meantime: then it may not be there."""
        with writing(into.engine) as session:
            case = journal.locked(session, kept.case_id)
            if case.closed_at is not None:
                return False
            if session.get(CaseRecording, kept.id) is None:
                action = journal.RECORD if kept.file else journal.DO_NOT
                details = {"recording": kept.id, "sha256": kept.sha256}
                journal.append(session, into, case, journal.RECORDER, action, self.now(), details=details)
            session.merge(kept)
        return True


def recording_id(case: Case, row: Recording) -> str:
    """The same whenever the same call is kept for the same case; it does not lead to the call's own id."""
    return hashlib.blake2b(row.id.encode(), key=bytes.fromhex(case.id), digest_size=16).hexdigest()


def part(case: Case, row: Recording) -> tuple[float, float]:
    """The part of a call that lies in the period of an approved case, in seconds since the start of the call."""
    assert case.approved_at is not None
    begin = max(case.since, case.approved_at, row.started_at)
    end = min(case.until, row.ended_at)
    return (begin - row.started_at).total_seconds(), (end - row.started_at).total_seconds()


def facts_of(row: Recording, from_s: float, to_s: float) -> dict[str, Any]:
    """What a case knows of a call; times are of the part that it recorded, `gaps` in seconds since the call's start."""
    legs = [{name: getattr(leg, name) for name in LEG_FIELDS} | {"gaps": leg.facts.get("gaps")} for leg in row.legs]
    return {
        "recording": row.id,
        "call_id": row.call_id,
        "started_at": stamp(row.started_at + timedelta(seconds=from_s)),
        "ended_at": stamp(row.started_at + timedelta(seconds=to_s)),
        "duration_s": round(to_s - from_s, 6),
        "call_started_at": stamp(row.started_at),
        "caller": row.caller,
        "callee": row.callee,
        "peer": row.peer,
        "participants": row.facts.get("participants"),
        "legs": legs,
        "format": FORMAT,
    }


def _sealed(case: Case, facts: dict[str, Any]) -> bytes:
    return sealed(case, json.dumps(facts, ensure_ascii=False).encode())


def _digest(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type] # files have readinto
    file.seek(0)
    return digest
