"""Captures into an archive, and what an archive has."""

from pathlib import Path
from typing import Any

from support.recorder import Recorder

from srs.archive import catalogue
from srs.archive import finalise as archive_finalise
from srs.archive import keep as archive_keep
from srs.archive.catalogue import Filter
from srs.archive.database import connect
from srs.archive.keep import Archive
from srs.archive.store import open_store
from srs.archive.tables import Recording


def finalise(capture: Path) -> archive_finalise.Recording:
    """The only recording of a capture."""
    (recording,) = archive_finalise.finalise(capture)
    return recording


def keep(archive: Archive, capture: Path) -> Recording:
    """Keep a capture; returns its only recording."""
    (row,) = archive_keep.keep(archive, capture)
    return row


def details(recorder: Recorder, wanted: Filter | None = None) -> list[dict[str, Any]]:
    """What `srs show --json` says of each recording, without a process for each."""
    engine = connect(f"sqlite:///{recorder.data}/recordings.sqlite")
    store = open_store(f"file://{recorder.data}/audio", recorder.data / "keys")
    try:
        rows = catalogue.entries(engine, recorder.data, wanted or Filter())
        return [catalogue.details(engine, row, store) for row in rows if row.id not in recorder.past]
    finally:
        engine.dispose()
