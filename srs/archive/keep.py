"""From a capture file to recordings that are safe: the sound in the store, its facts in the database, the capture gone.

Every step can be cut off by a crash and done again; the ids of the recordings follow from the stem of the capture, so
that doing it twice makes no second ones. The capture goes last. What cannot be finalised is moved aside, never thrown
away.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import IO, TYPE_CHECKING

import structlog
from sqlalchemy import Engine
from sqlmodel import Session

from srs.archive import audio, captures, peaks, preview
from srs.archive.database import connect, reading, writing
from srs.archive.errors import NoRecording
from srs.archive.export import tags_of
from srs.archive.minimal import trim
from srs.archive.peer import peer_of
from srs.archive.seal import SUFFIX, sealed
from srs.archive.store import Store, open_store
from srs.archive.subject import direction, parties_text
from srs.archive.tables import Identifier, Leg, Recording, State
from srs.archive.verdict import Judge, unjudged
from srs.config import AudioSettings, Settings
from srs.config.archive import MetadataSettings
from srs.config.rules import NumbersSettings

if TYPE_CHECKING:
    from rtp.mix import Channels
    from srs.archive.finalise import LegSound
    from srs.archive.finalise import Recording as Finalised

log = structlog.get_logger()

MOST_UNHEARD = 0.01
"""Share of the packets of a leg that may be damaged, or open with no key, without its capture being kept."""

OnStored = Callable[[Session, Recording], None]
OnHeard = Callable[["Archive", Recording, "Finalised"], None]


@dataclass(frozen=True)
class Archive:
    """Where recordings go, and how captures become recordings."""

    data_dir: Path
    engine: Engine
    store: Store
    audio: AudioSettings
    finalise: Callable[[Path], Sequence["Finalised"]]
    channels: Callable[["Finalised"], "Channels"]
    refusals: tuple[type[Exception], ...]
    """What `finalise` raises for a capture that holds no recording."""
    numbers: NumbersSettings = field(default_factory=NumbersSettings)
    metadata: MetadataSettings = field(default_factory=MetadataSettings)
    judge: Judge = unjudged
    """Says of each recording whether its sound may be kept and for whom it is sealed."""
    on_heard: tuple[OnHeard, ...] = ()
    """Called with each recording and its sound, judged and not yet stored, also if it may not be kept. What they raise
    leaves the capture where it is; then they are called again."""
    on_stored: tuple[OnStored, ...] = ()
    """Called within the transaction that saves a row: what must happen to the recording is noted with it."""


def open_archive(
    settings: Settings,
    judge: Judge = unjudged,
    on_stored: tuple[OnStored, ...] = (),
    on_heard: tuple[OnHeard, ...] = (),
) -> Archive:
    """The archive that the settings describe.

    Raises:
        DatabaseError, StoreError: one of them is not to be had.
    """
    from rtp.pcap import CaptureError
    from srs.archive.finalise import NoSession, channels
    from srs.archive.join import finalise
    from srs.archive.treatment import Treatment

    engine, store = connect(settings.database_url), open_store(settings.store_url, settings.keys_dir)
    refusals = (CaptureError, NoSession)
    treatment = Treatment(settings.audio.losses == "conceal", settings.audio.mask_digits)
    return Archive(
        settings.data_dir,
        engine,
        store,
        settings.audio,
        partial(finalise, treatment=treatment),
        channels,
        refusals,
        settings.numbers,
        settings.metadata,
        judge,
        on_heard,
        on_stored,
    )


def keep(archive: Archive, capture: Path) -> list[Recording]:
    """Take a capture of an ended session into the archive; whoever comes second waits for the first.

    Returns:
        The rows, one for each call in the capture; their state is `ready`. Or one that is `failed`, with the reason.

    Raises:
        DatabaseError, StoreError, OSError: not now; the capture is where it was.
        NoRecording: there is no such capture, and no recording made from it.
    """
    with _locked(capture) as there:
        rows = _find(archive, capture.stem)
        if not there:
            if not rows:
                raise NoRecording(f"{capture}: no such capture")
            return rows
        if not rows or not all(_is_safe(archive, row) for row in rows):
            rows = _ingest(archive, capture, rows)
        _put_away(archive, capture, rows)
    return rows


@contextmanager
def _locked(capture: Path) -> Iterator[bool]:
    """Alone with a capture; tells whether it is (still) there."""
    try:
        descriptor = os.open(capture, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield capture.exists()
    finally:
        os.close(descriptor)


def _find(archive: Archive, stem: str) -> list[Recording]:
    """The recordings of a capture, in order of time."""
    with reading(archive.engine) as session:
        found = (session.get(Recording, id_) for id_ in captures.recordings(stem))
        return [row for row in takewhile(lambda row: row is not None, found) if row is not None]


def _is_safe(archive: Archive, row: Recording) -> bool:
    """Whether nothing is left to be done but to put the capture away. What failed once is tried again."""
    if row.state == State.DELETED:
        return True
    return row.state == State.READY and row.file is not None and archive.store.size(row.file) == row.bytes


def _ingest(archive: Archive, capture: Path, before: Sequence[Recording]) -> list[Recording]:
    """Finalise, store, note down: in this order, so that what the rows say is true. What was deleted stays so."""
    deleted = {row.id: row for row in before if row.state == State.DELETED}
    try:
        finalised = archive.finalise(capture)
    except archive.refusals as error:
        rows = [_failed(capture, str(error))]
    except OSError:
        raise
    except Exception as error:
        log.exception("finalise is defective", capture=str(capture))
        rows = [_failed(capture, f"defect in finalise: {error!r}")]
    else:
        named = zip(captures.recordings(capture.stem), finalised, strict=False)
        rows = [deleted.get(id_) or _ready(archive, capture, id_, each) for id_, each in named]
    _save(archive, [row for row in rows if row.id not in deleted])
    return rows


def _failed(capture: Path, reason: str) -> Recording:
    head = preview.head(capture)
    return Recording(
        id=capture.stem,
        call_id=clean(head.call_id),
        state=State.FAILED,
        reason=reason,
        started_at=head.started_at,
        ended_at=head.started_at,
        duration_s=0.0,
        created_at=datetime.now(UTC),
        legs=[],
        identifiers=[],
        notices=[],
    )


def _ready(archive: Archive, capture: Path, recording: str, finalised: "Finalised") -> Recording:
    started_at = moment(finalised.started_ns)
    caller, callee = clean(finalised.caller), clean(finalised.callee)
    peer = peer_of(finalised.facts)
    row = Recording(
        id=recording,
        call_id=clean(finalised.call_id),
        session_id=clean(finalised.session_id),
        state=State.READY,
        started_at=started_at,
        ended_at=moment(finalised.ended_ns),
        duration_s=(finalised.ended_ns - finalised.started_ns) / 1e9,
        caller=caller,
        callee=callee,
        direction=direction(caller, callee, archive.numbers),
        peer=peer.name,
        purpose=peer.purpose,
        tags=list(peer.tags),
        file=f"{started_at:%Y/%m/%d}/{recording}.{archive.audio.format}",
        format=archive.audio.format,
        facts={
            **finalised.facts,
            "interrupted": finalised.interrupted,
            **({"capture": capture.stem} if recording != capture.stem else {}),
        },
        created_at=datetime.now(UTC),
        legs=_legs(finalised),
        identifiers=_identifiers(finalised),
        notices=[],
    )
    verdict = archive.judge(row, finalised)
    trim(row, archive.metadata.keep)
    for note in archive.on_heard:
        note(archive, row, finalised)
    if verdict.unwanted is not None:
        return _unkept(row, verdict.unwanted)
    _store(archive, row, finalised, verdict.key)
    return row


def _unkept(row: Recording, reason: str) -> Recording:
    """That there was a call stays known; its sound is not written, and the capture goes."""
    row.state, row.reason, row.file, row.format, row.deleted_at = State.DELETED, reason, None, None, row.created_at
    return row


def _legs(finalised: "Finalised") -> list[Leg]:
    return [_leg(channel, leg) for channel, leg in enumerate(finalised.legs)]


def _identifiers(finalised: "Finalised") -> list[Identifier]:
    found = dict.fromkeys((each.kind, clean(each.value) or "") for each in finalised.identifiers)
    return [Identifier(kind=kind, value=value) for kind, value in found]


def _leg(channel: int, leg: "LegSound") -> Leg:
    facts = {each.name: getattr(leg.facts, each.name) for each in fields(leg.facts)}
    return Leg(
        channel=channel,
        label=clean(leg.label),
        aor=clean(leg.aor),
        name=clean(leg.name),
        codec=clean(leg.codec),
        packets=facts["packets"],
        lost=facts["lost"],
        seconds=facts["seconds"],
        facts=facts,
    )


def _store(archive: Archive, row: Recording, finalised: "Finalised", key: str | None) -> None:
    """Put the sound, sealed where there is a key, and its outline into the store; its size and sum into the row."""
    assert row.file is not None
    sound = archive.channels(finalised)
    if archive.audio.channels == "mono":
        sound = sound.mixed()
    tags = tags_of(row.caller, row.callee, row.started_at, row.id)
    with tempfile.TemporaryFile(dir=archive.data_dir) as file:
        audio.write(file, archive.audio.format, sound.pieces(), len(sound.columns), sound.rate, tags)
        with file if key is None else sealed(archive.store.keys, key, file, archive.data_dir) as stored:
            if key is not None:
                row.key, row.file = key, row.file + SUFFIX
            row.bytes, row.sha256 = _measure(stored)
            stored.seek(0)
            peaks.save(archive.store, row.file, sound.columns, sound.rate, key)
            archive.store.put(row.file, stored)


def _measure(file: IO[bytes]) -> tuple[int, str]:
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type] # wants a readinto, which the file has
    return file.tell(), digest.hexdigest()


def _save(archive: Archive, rows: Iterable[Recording]) -> None:
    """All in one transaction: that of the first says that all are there."""
    with writing(archive.engine) as session:
        for row in rows:
            row.parties = parties_text(row)
            saved = row
            if before := session.get(Recording, row.id):
                row.held, row.created_at = before.held, before.created_at
                saved = session.merge(row)
            else:
                session.add(row)
            for note in archive.on_stored:
                note(session, saved)


def _put_away(archive: Archive, capture: Path, rows: Sequence[Recording]) -> None:
    """The capture is needed no more, or only by an engineer."""
    ready = [row for row in rows if row.state == State.READY]
    aside = None
    if any(row.state == State.FAILED for row in rows):
        aside = "failed"
    elif len(ready) == len(rows) and any(is_unheard(leg) for row in ready for leg in row.legs):
        aside = "kept"  # unless there is a call in it of which nothing may stay
    for path in filter(Path.exists, (captures.far_side(capture), capture)):  # that which stands for both goes last
        if aside == "kept" and archive.audio.mask_digits:
            from srs.archive.blank import blank  # here: with numpy, which lists of recordings need not load

            blank(path, _digits(ready))
        if aside:
            captures.move(archive.data_dir, path, aside)
        else:
            path.unlink()


def _digits(rows: Iterable[Recording]) -> Iterator[tuple[int, int]]:
    """When keys were pressed, UTC in nanoseconds."""
    for row in rows:
        start_ns = round(row.started_at.timestamp() * 1e9)
        for leg in row.legs:
            for since_s, length_s, _ in leg.facts.get("digits", ()):
                begin_ns = start_ns + round(since_s * 1e9)
                yield begin_ns, begin_ns + round(length_s * 1e9)


def is_unheard(leg: Leg) -> bool:
    """Whether packets of a leg could not be made sound: another decoder, or the right key, may do it."""
    forged, damaged = (leg.facts.get(name, 0) for name in ("forged", "damaged"))
    return bool(leg.facts.get("undecoded")) or forged + damaged > MOST_UNHEARD * (leg.packets + forged)


def moment(time_ns: int) -> datetime:
    """UTC nanoseconds as a datetime, to the microsecond."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC) + timedelta(
        microseconds=time_ns % 1_000_000_000 // 1000
    )


def clean(text: str | None) -> str | None:
    """A text of a SIP message as databases take it, without NUL and without the escapes of octets that are no UTF-8."""
    return text and text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "\ufffd")
