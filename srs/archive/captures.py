"""The folder of captures, seen from the archive: what waits in it."""

import hashlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

from srs.archive.tables import Recording
from srs.siprec.headers import FAR

_ASIDE: Final = ("kept", "failed")
_QUEUE: Final = ("open", "ended")


def waiting(data_dir: Path, folder: str) -> list[Path]:
    """The captures in one of the folders, oldest first; not those that belong to another that is there."""
    found = []
    for path in (data_dir / "captures" / folder).glob("*.pcap"):
        try:
            found.append((path.stat().st_mtime_ns, path))
        except FileNotFoundError:  # finished in the meantime
            continue
    return [path for _, path in sorted(found) if not _belongs(data_dir, path)]


def far_side(capture: Path) -> Path:
    """Where the other leg of a call is, if a phone forks it as two recording sessions (Cisco Built-in-Bridge)."""
    return capture.with_name(f"{capture.stem}{FAR}.pcap")


def is_whole(data_dir: Path, capture: Path) -> bool:
    """Whether the other leg of the call is not still under way."""
    return not far_side(data_dir / "captures" / "open" / capture.name).exists()


def _belongs(data_dir: Path, capture: Path) -> bool:
    near = f"{capture.stem.removesuffix(FAR)}.pcap"
    return capture.stem.endswith(FAR) and any((data_dir / "captures" / each / near).exists() for each in _QUEUE)


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


def is_waiting(data_dir: Path, row: Recording) -> bool:
    """Whether the capture of a recording has not been put away yet."""
    return (data_dir / "captures" / "ended" / f"{stem(row)}.pcap").exists()


def put_aside(data_dir: Path, row: Recording) -> Path | None:
    """The capture of a recording that was set aside, because not all of it could be decoded."""
    found = (data_dir / "captures" / folder / f"{stem(row)}.pcap" for folder in _ASIDE)
    return next(filter(Path.exists, found), None)


def all_put_aside(data_dir: Path) -> list[str]:
    """The stems of all captures that were set aside."""
    return [path.stem for folder in _ASIDE for path in (data_dir / "captures" / folder).glob("*.pcap")]


def remove(data_dir: Path, row: Recording) -> None:
    """Remove what the archive set aside of a recording; with it what was set aside of other calls of its capture."""
    for folder in _ASIDE:
        capture = data_dir / "captures" / folder / f"{stem(row)}.pcap"
        for path in (capture, far_side(capture)):
            path.unlink(missing_ok=True)
