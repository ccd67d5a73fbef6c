"""Captures into an archive."""

from pathlib import Path

from srs.archive import keep as archive_keep
from srs.archive.keep import Archive
from srs.archive.tables import Recording


def keep(archive: Archive, capture: Path) -> Recording:
    """Keep a capture; returns its only recording."""
    (row,) = archive_keep.keep(archive, capture)
    return row
