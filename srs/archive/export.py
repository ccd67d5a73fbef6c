"""A recording as a file for people: any format, with who and when in its tags."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from sqlalchemy import Engine

from srs.archive import audio, captures
from srs.archive.catalogue import details
from srs.archive.errors import NotReady, Sealed
from srs.archive.store import Store
from srs.archive.tables import Recording


def export(recording: Recording, store: Store, kind: str, target: Path) -> None:
    """Write the sound of a recording to `target`, whole or not at all.

    In the format that the archive keeps it is copied as it is.

    Args:
        kind: one of `audio.FORMATS`.

    Raises:
        NotReady: there is no sound, or it cannot be decoded.
        StoreError: the store does not give it.
        OSError: the target cannot be written.
    """
    with open_sound(recording, store) as source, _whole(target) as file:
        _convert(source, recording, kind, file)


def export_capture(recording: Recording, data_dir: Path, target: Path) -> None:
    """Write the SIP and RTP of a recording as they came to `target`, whole or not at all.

    Raises:
        NotReady: the capture is not kept any more: everything in it was decoded.
        OSError: the target cannot be written.
    """
    found = captures.put_aside(data_dir, recording)
    if found is None:
        raise NotReady(f"the capture of {recording.id} is not kept: all of it was decoded")
    with found.open("rb") as source, _whole(target) as file:
        shutil.copyfileobj(source, file, 1 << 20)


def export_vcon(
    recording: Recording, store: Store, signer: tuple[Path, Path] | None, target: Path, now: datetime
) -> None:
    """Write a recording as vCon to `target`, the sound inside, whole or not at all.

    Args:
        signer: files of key and certificate; None: unsigned.

    Raises:
        NotReady, StoreError, OSError: as `export`.
        SigningError: key or certificate cannot be used.
    """
    from srs.archive import vcon

    with open_sound(recording, store) as source:
        made = vcon.vcon(recording, source.read(), str(recording.format), now)
    content = json.dumps(made, ensure_ascii=False)
    if signer is not None:
        content = json.dumps(vcon.signed(content, made["uuid"], *signer))
    with _whole(target) as file:
        file.write(content.encode())


def export_facts(recording: Recording, engine: Engine, store: Store, target: Path) -> None:
    """Write all that is known of a recording as JSON to `target`, whole or not at all; its sound need not be there."""
    with _whole(target) as file:
        file.write(json.dumps(details(engine, recording, store), ensure_ascii=False, indent=2).encode())


@contextmanager
def _whole(target: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `target` when all is written."""
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        unfinished = Path(file.name)
        try:
            yield file
            file.close()
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)


def open_sound(recording: Recording, store: Store) -> IO[bytes]:
    """The sound of a recording as it was stored, opened if it is sealed.

    Raises:
        NotReady: there is none.
        Sealed: its key is not here.
        StoreError: the store does not give it.
    """
    if recording.file is None:
        raise NotReady(f"recording {recording.id} has no sound: it is {recording.state}")
    try:
        stored = store.open(recording.file)
    except FileNotFoundError:
        raise NotReady(f"the sound of {recording.id} is not at {store.location(recording.file)}") from None
    try:
        return stored if recording.key is None else store.keys.open(recording.key, stored)
    except Sealed as error:
        raise Sealed(f"recording {recording.id} is {error}") from None


def _convert(source: IO[bytes], recording: Recording, kind: str, file: IO[bytes]) -> None:
    if kind == recording.format:
        shutil.copyfileobj(source, file, 1 << 20)
        return
    sound = audio.read(source)
    audio.write(file, kind, sound.pieces, sound.channels, sound.rate, tags(recording))


def tags(recording: Recording) -> Mapping[str, str]:
    """Title, date and comment for formats that have them."""
    return tags_of(recording.caller, recording.callee, recording.started_at, recording.id)


def tags_of(caller: str | None, callee: str | None, started_at: datetime, recording: str) -> Mapping[str, str]:
    return {
        "title": f"{caller or 'unknown'} → {callee or 'unknown'}",
        "date": started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "comment": recording,
    }
