"""Which recordings were deleted, in a file beside the database: what a restored backup must not bring back.

`erased.jsonl` in the data folder is only ever added to. It is to be kept when a backup is restored; ids and keys of the
store stand in it, nothing of the call.
"""

import json
import mmap
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = "erased.jsonl"


@dataclass(frozen=True, slots=True)
class Erased:
    """One recording that is deleted."""

    id: str
    file: str | None
    """Key of its sound in the store; None: it never had any."""
    at: str
    """ISO 8601."""


def add(data_dir: Path, erased: Iterable[Erased]) -> None:
    """Note them, safe on disk when this returns."""
    lines = "".join(json.dumps(asdict(each)) + "\n" for each in erased)
    descriptor = os.open(data_dir / NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, lines.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(data_dir: Path) -> dict[str, Erased]:
    """All of them by id; a line that is torn is not counted."""
    try:
        lines = (data_dir / NAME).read_text().splitlines()
    except FileNotFoundError:
        return {}
    found = {}
    for line in lines:
        try:
            erased = Erased(**json.loads(line))
        except (ValueError, TypeError):
            continue
        found[erased.id] = erased
    return found


def has(data_dir: Path, recording: str) -> bool:
    """Whether a recording was deleted."""
    try:
        with (data_dir / NAME).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as lines:
            return lines.find(f'"id": {json.dumps(recording)}'.encode()) >= 0
    except FileNotFoundError:
        return False
    except ValueError:  # there is nothing in it yet
        return False
