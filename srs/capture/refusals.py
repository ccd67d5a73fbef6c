"""The last requests that were refused, as they came, for `srs doctor --call`: a small file in the data folder.

Noting one costs an append to a list; the file is written by a thread, at most once a second, however many there are.
"""

import asyncio
import json
import os
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

log = structlog.get_logger()

MOST = 50
"""Refusals kept, the newest."""
LONGEST = 16 << 10
"""Octets kept of a message."""
PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Refused:
    """One request that was refused, or that could not be read."""

    time_ns: int
    """UTC."""
    source: str
    """Address and port."""
    transport: str
    status: int
    reason: str
    message: str
    """As it came, each octet a character; cut if very long."""


def path(data_dir: Path) -> Path:
    return data_dir / "refusals.jsonl"


def read(data_dir: Path) -> list[Refused]:
    """What is kept, oldest first; nothing where there is no file, or none that can be read."""
    try:
        lines = path(data_dir).read_text().splitlines()
        return [Refused(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError):
        return []


class Refusals:
    """Keeps the newest refusals, those of former processes too."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._kept = deque(read(data_dir), MOST)
        self._writing: asyncio.TimerHandle | None = None

    def note(self, data: bytes, source: str, transport: str, status: int, reason: str, time_ns: int) -> None:
        """Remember a refusal; the file has it soon."""
        message = data[:LONGEST].decode("latin-1")
        self._kept.append(Refused(time_ns, source, transport, status, reason, message))
        if self._writing is None:
            self._writing = asyncio.get_running_loop().call_later(PAUSE_S, self._start)

    def _start(self) -> None:
        self._writing = None
        asyncio.get_running_loop().run_in_executor(None, _write, path(self._data_dir), list(self._kept))


def _write(target: Path, refused: Iterable[Refused]) -> None:
    unfinished = target.with_suffix(".part")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.writelines(f"{json.dumps(asdict(each))}\n" for each in refused)
        unfinished.replace(target)
    except OSError as error:  # no call depends on it
        log.warning("refusals not kept", reason=error.strerror)
