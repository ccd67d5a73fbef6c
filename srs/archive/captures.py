"""The folder of captures, seen from the archive: what waits in it."""

from pathlib import Path
from typing import Final

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


def put_aside(data_dir: Path, recording: str) -> Path | None:
    """The capture of a recording that was set aside, because not all of it could be decoded."""
    found = (data_dir / "captures" / folder / f"{recording}.pcap" for folder in _ASIDE)
    return next(filter(Path.exists, found), None)


def remove(data_dir: Path, recording: str) -> None:
    """Remove what the archive set aside of a recording."""
    for folder in _ASIDE:
        (data_dir / "captures" / folder / f"{recording}.pcap").unlink(missing_ok=True)
