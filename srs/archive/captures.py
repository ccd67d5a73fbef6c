"""The folder of captures, seen from the archive: what waits in it."""

import hashlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

from srs.archive.tables import Recording

_ASIDE: Final = ("kept", "failed")


def waiting(data_dir: Path, folder: str) -> list[Path]:
    """The captures in one of the folders, oldest first."""
    found = []
    for path in (data_dir / "captures" / folder).glob("*.pcap"):
        try:
            found.append((path.stat().st_mtime_ns, path))
        except FileNotFoundError:  # finished in the meantime
            continue
    return [path for _, path in sorted(found)]


def move(data_dir: Path, capture: Path, folder: str) -> None:
    """Put a capture into another folder."""
    target = data_dir / "captures" / folder / capture.name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    capture.replace(target)


def recordings(stem: str) -> Iterator[str]:
    """The ids of the recordings of a capture: its stem for the first call in it, for each other one of its own kind."""
    yield stem
    for number in count(2):
        yield hashlib.blake2b(f"{stem} {number}".encode(), digest_size=16).hexdigest()


def stem(row: Recording) -> str:
    """Of the capture that a recording was made from."""
    return str(row.facts.get("capture", row.id))


def put_aside(data_dir: Path, row: Recording) -> Path | None:
    """The capture of a recording that was set aside, because not all of it could be decoded."""
    found = (data_dir / "captures" / folder / f"{stem(row)}.pcap" for folder in _ASIDE)
    return next(filter(Path.exists, found), None)


def remove(data_dir: Path, row: Recording) -> None:
    """Remove what the archive set aside of a recording; with it what was set aside of other calls of its capture."""
    for folder in _ASIDE:
        (data_dir / "captures" / folder / f"{stem(row)}.pcap").unlink(missing_ok=True)
