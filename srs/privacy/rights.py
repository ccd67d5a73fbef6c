"""What somebody who was recorded may ask for: access, erasure, restriction."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import col, select

from srs.archive.catalogue import Filter, as_json, entries, hold
from srs.archive.database import reading, writing
from srs.archive.errors import ArchiveError, Held
from srs.archive.store import Store
from srs.archive.tables import Recording, State
from srs.config import Settings
from srs.handoff import copies
from srs.handoff.delete import delete
from srs.handoff.tables import Receipt
from srs.privacy import request
from srs.privacy.person import own_sound, recordings_of, same
from srs.privacy.request import Kind, RightsRequest


@dataclass(frozen=True, slots=True)
class Desk:
    """Where requests are carried out, and by whom."""

    settings: Settings
    engine: Engine
    store: Store
    by: str
    """As the audit names them."""
    origin: str
    """Where they are: an address, or `cli`."""

    def access(self, person: str, folder: Path, now: datetime) -> dict[str, str]:
        """Write what a person said in each call, the others silenced, and `recordings.json` with what is known.

        Returns:
            The file of each recording, or why there is none.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        rows = recordings_of(self.engine, person)
        results = {row.id: self._write(row, person, folder) for row in rows}
        known = [{**_told(row, self.store), "result": results[row.id]} for row in rows]
        (folder / "recordings.json").write_text(json.dumps(known, ensure_ascii=False, indent=2))
        return self._note(Kind.ACCESS, person, results, now)

    def _write(self, row: Recording, person: str, folder: Path) -> str:
        target = folder / f"{row.started_at:%Y-%m-%d_%H%M%S}_{row.id}.wav"
        try:
            own_sound(row, self.store, person, target)
        except FileExistsError:
            return f"{target.name} is there already"
        except ArchiveError as error:
            return str(error)
        return target.name

    def erase(self, person: str, now: datetime) -> dict[str, str]:
        """Erase every recording of a person; what is under legal hold stays and is named."""
        results = {row.id: self._erase(row, now) for row in recordings_of(self.engine, person)}
        results |= dict.fromkeys(self._now(person), "not archived yet: ask again when the call has ended")
        return self._note(Kind.ERASURE, person, results, now)

    def _erase(self, row: Recording, now: datetime) -> str:
        if row.state == State.DELETED:
            with writing(self.engine) as session:
                copies.remove_now(session, row.id, now)
            return "deleted before"
        try:
            delete(self.engine, self.store, self.settings, row.id, now, "erasure, GDPR article 17", self.by)
        except Held:
            return "kept: legal hold"
        return "erased"

    def _now(self, person: str) -> list[str]:
        """Calls of a person that have no row yet."""
        waiting = [each for state in (State.RECORDING, State.CAPTURED) for each in self._without_row(state)]
        return [row.id for row in waiting if any(same(party, person) for party in (row.caller, row.callee) if party)]

    def _without_row(self, state: State) -> list[Recording]:
        return entries(self.engine, self.settings.data_dir, Filter(state))

    def restrict(self, person: str, now: datetime, *, held: bool) -> dict[str, str]:
        """Hold every recording of a person that has sound, or let go."""
        results = {}
        for row in recordings_of(self.engine, person):
            if row.state != State.DELETED and row.held is not held:
                hold(self.engine, row.id, held=held)
                results[row.id] = "held" if held else "released"
        return self._note(Kind.RESTRICTION if held else Kind.RELEASE, person, results, now)

    def _note(self, kind: Kind, person: str, results: dict[str, str], now: datetime) -> dict[str, str]:
        wanted = RightsRequest(at=now, kind=kind, person=person, by=self.by, recordings=results)
        request.note(self.engine, wanted, self.origin)
        return results

    def receipt(self, person: str, results: dict[str, str], now: datetime) -> dict[str, object]:
        """For the person: what became of each recording and of every copy that is known."""
        with reading(self.engine) as session:
            query = select(Receipt).where(col(Receipt.recording_id).in_(list(results))).order_by(col(Receipt.at))
            receipts = list(session.exec(query))
        recordings = [
            {
                "id": recording,
                "result": result,
                "copies": [copy for each in receipts if each.recording_id == recording for copy in each.copies],
            }
            for recording, result in results.items()
        ]
        return {"person": person, "at": now.isoformat(), "by": self.by, "recordings": recordings}


def _told(row: Recording, store: Store) -> dict[str, object]:
    """What a person may know of a recording: not where it is kept."""
    known = as_json(row, store)
    wanted = ("id", "state", "started_at", "ended_at", "duration_s", "caller", "callee")
    deleted_at = row.deleted_at and row.deleted_at.isoformat()
    told = {name: known[name] for name in wanted}
    return {**told, "purpose": row.purpose, "deleted_at": deleted_at, "held": row.held}


def held_recordings(engine: Engine) -> list[Recording]:
    """Everything under legal hold, oldest first."""
    with reading(engine) as session:
        return list(session.exec(select(Recording).where(col(Recording.held)).order_by(col(Recording.started_at))))
