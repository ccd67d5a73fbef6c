"""What there is: recordings in the database, and captures that are not there yet."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, or_
from sqlmodel import Session, col, select

from srs.archive import captures, identity, ledger
from srs.archive.database import reading, writing
from srs.archive.errors import AmbiguousId, Held, NoRecording, NotReady
from srs.archive.ledger import Erased
from srs.archive.peer import peer_of
from srs.archive.store import Store
from srs.archive.tables import Leg, Recording, State

SHORTEST_PREFIX: Final = 4
LEG_FIELDS: Final = ("label", "aor", "name", "codec", "packets", "lost", "seconds")
_FOLDERS: Final = {State.RECORDING: "open", State.CAPTURED: "ended"}


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may see of all recordings."""

    condition: ColumnElement[bool]
    """On rows."""
    allows: Callable[[Recording], bool]
    """The same, of a recording that has no row yet."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which recordings are listed; None means any."""

    state: State | None = None
    party: str | None = None
    """Part of the caller's or callee's address or name, in either case of letters."""
    identifier: str | None = None
    """What another system calls it (UCID, GUID, Call-ID …), or the id of its communication session."""
    limit: int | None = None
    sight: Sight | None = None
    """Of whoever asks; None: of the machine's administrator, who sees all."""


def entries(engine: Engine, data_dir: Path, wanted: Filter) -> list[Recording]:
    """The recordings, newest first; those without row have the state that their folder tells and are in no session."""
    found = _rows(engine, wanted)
    if wanted.party is None and wanted.identifier is None:
        waiting = _without_row(engine, data_dir, wanted.state)
        found += [row for row in waiting if wanted.sight is None or wanted.sight.allows(row)]
    found.sort(key=lambda row: (row.started_at, row.id), reverse=True)
    return found[: wanted.limit]


def _rows(engine: Engine, wanted: Filter) -> list[Recording]:
    query = select(Recording).order_by(col(Recording.started_at).desc(), col(Recording.id).desc())
    if wanted.state is not None:
        query = query.where(Recording.state == wanted.state)
    if wanted.party is not None:
        party = wanted.party
        query = query.where(
            or_(
                col(Recording.caller).icontains(party, autoescape=True),
                col(Recording.callee).icontains(party, autoescape=True),
                col(Recording.legs).any(col(Leg.name).icontains(party, autoescape=True)),
            )
        )
    if wanted.identifier is not None:
        query = query.where(identity.is_called(wanted.identifier))
    if wanted.sight is not None:
        query = query.where(wanted.sight.condition)
    with reading(engine) as session:
        return list(session.exec(query.limit(wanted.limit)))


def _without_row(engine: Engine, data_dir: Path, wanted: State | None, prefix: str = "") -> list[Recording]:
    """Only those whose id begins so are read: each is a file."""
    found = [
        (state, path)
        for state, folder in _FOLDERS.items()
        if wanted in (None, state)
        for path in captures.waiting(data_dir, folder)
        if path.stem.startswith(prefix)
    ]
    with reading(engine) as session:
        stems = [path.stem for _, path in found]
        known = set(session.exec(select(Recording.id).where(col(Recording.id).in_(stems)))) if stems else set()
    return [_of_capture(path, state) for state, path in found if path.stem not in known]


def _of_capture(path: Path, state: State) -> Recording:
    """Its end is as far as it is written; the capture may be gone since it was listed."""
    from srs.archive.preview import Head  # takes a while to load, and mostly nothing is under way
    from srs.archive.preview import head as preview

    try:
        head, end = preview(path), datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        head = Head(end := datetime.now(UTC))
    who = [aor or name for _, aor, name in head.legs[:2]] + [None, None]
    facts = {"events": [list(event) for event in head.events]}
    peer = peer_of(facts)
    return Recording(
        id=path.stem,
        call_id=head.call_id,
        session_id=head.session_id,
        caller=who[0],
        callee=who[1],
        legs=[
            Leg(channel=channel, label=label, aor=aor, name=name)
            for channel, (label, aor, name) in enumerate(head.legs)
        ],
        state=state,
        started_at=head.started_at,
        ended_at=end,
        duration_s=max(0.0, (end - head.started_at).total_seconds()),
        peer=peer.name,
        purpose=peer.purpose,
        tags=list(peer.tags),
        facts=facts,
        created_at=end,
    )


def find(engine: Engine, data_dir: Path, prefix: str, sight: Sight | None = None) -> Recording:
    """The recording whose id begins so, among those in sight.

    Raises:
        NoRecording: there is none, or the prefix is too short to mean one.
        AmbiguousId: there are several.
    """
    if len(prefix) < SHORTEST_PREFIX:
        raise NoRecording(f"{prefix!r} is too short: give the first {SHORTEST_PREFIX} characters of the id, or more")
    query = select(Recording).where(col(Recording.id).startswith(prefix, autoescape=True)).limit(10)
    with reading(engine) as session:
        found = list(session.exec(query if sight is None else query.where(sight.condition)))
    found += [row for row in _without_row(engine, data_dir, None, prefix) if sight is None or sight.allows(row)]
    if not found:
        raise NoRecording(f"there is no recording {prefix!r}")
    if len(found) > 1:
        raise AmbiguousId(f"several recordings begin with {prefix!r}: {', '.join(sorted(row.id for row in found))}")
    return found[0]


def hold(engine: Engine, recording: str, *, held: bool) -> None:
    """Put a recording under legal hold, or release it.

    Raises:
        NotReady: it is not in the database yet.
    """
    with writing(engine) as session:
        _known(session.get(Recording, recording, with_for_update=True), recording).held = held


def delete(
    engine: Engine,
    store: Store,
    data_dir: Path,
    recording: str,
    now: datetime,
    note: Callable[[Session, Recording], None] = lambda session, row: None,  # noqa: ARG005
) -> None:
    """Remove the sound and what is left of the capture; the row stays, as deleted. Once more does no harm.

    Args:
        note: called within the transaction, before anything is removed and only the first time.

    Raises:
        Held: it is under legal hold.
        NotReady: it is not in the database yet.
        StoreError: the sound is still there.
    """
    from srs.archive import peaks  # knows numpy, which lists need not load

    with writing(engine) as session:
        row = _known(session.get(Recording, recording, with_for_update=True), recording)
        if row.held:
            raise Held(f"recording {recording} is under legal hold; release it first: srs hold {recording} --release")
        if row.state != State.DELETED:
            note(session, row)
        # Within the transaction: a row that says deleted is never ahead of the sound, and no hold slips in between.
        file = row.file
        if row.file is not None:
            peaks.delete(store, row.file)
            store.delete(row.file)
        captures.remove(data_dir, row)
        if row.state != State.DELETED:
            row.state, row.file, row.bytes, row.deleted_at = State.DELETED, None, None, now
    ledger.add(data_dir, [Erased(recording, file, now.isoformat())])


def _known(row: Recording | None, recording: str) -> Recording:
    if row is None:
        raise NotReady(f"recording {recording} is not archived yet: try again when its call has ended")
    return row


def as_json(row: Recording, store: Store) -> dict[str, Any]:
    """What `srs list --json` says of a recording (the public contract)."""
    return {
        "id": row.id,
        "call_id": row.call_id,
        "session_id": row.session_id,
        "state": str(row.state),
        "started_at": stamp(row.started_at),
        "ended_at": None if row.state == State.RECORDING else stamp(row.ended_at),
        "duration_s": row.duration_s,
        "caller": row.caller,
        "callee": row.callee,
        "legs": [{name: getattr(leg, name) for name in LEG_FIELDS} for leg in row.legs],
        "file": row.file and store.location(row.file),
        "format": row.format,
        "bytes": row.bytes,
        "sha256": row.sha256,
    }


def details(engine: Engine, row: Recording, store: Store) -> dict[str, Any]:
    """What `srs show --json` says: the above, what others call it, and all facts."""
    facts = {name: getattr(row, name) for name in ("direction", "peer", "purpose", "tags", "key")}
    facts |= {"held": row.held, "reason": row.reason, "deleted_at": row.deleted_at and stamp(row.deleted_at)}
    facts |= {"identifiers": identity.of(engine, row.id), "same_call": identity.same_call(engine, row)}
    legs = [{"label": leg.label, **leg.facts} for leg in row.legs]
    facts["notices"] = [
        notice.model_dump(exclude={"recording_id", "place"}, exclude_none=True) for notice in row.notices
    ]
    return {**as_json(row, store), **facts, "created_at": stamp(row.created_at), "facts": row.facts, "leg_facts": legs}


def stamp(moment: datetime) -> str:
    """ISO 8601 in UTC with Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
