"""One recorder a data folder: a lock that lives as long as any of its processes that touch captures."""

import fcntl
import os
import signal
import time
from pathlib import Path

GONE_AFTER_S = 10.0
"""So long the processes of a keeper that was killed may take to write out what they hold."""


class AlreadyRunning(OSError):
    """Another recorder works on the folder."""


class NotRunning(OSError):
    """No recorder works on the folder."""


def lock_path(data_dir: Path) -> Path:
    return data_dir / "srs.lock"


def acquire(data_dir: Path) -> int:
    """Take the lock; it is held while the descriptor, or a copy in another process, is open.

    Raises:
        AlreadyRunning: somebody else has it.
    """
    path = lock_path(data_dir)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + GONE_AFTER_S
    while not _try(descriptor):
        pid = _pid(path)
        if _lives(pid) or time.monotonic() > deadline:
            os.close(descriptor)
            raise AlreadyRunning(
                f"another recorder (process {pid}) works on {data_dir}; stop it, or use another --data"
            )
        time.sleep(0.05)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def tell(data_dir: Path, number: signal.Signals) -> int:
    """Send a signal to the recorder of a folder; returns its process id.

    Raises:
        NotRunning: there is none.
    """
    path = lock_path(data_dir)
    pid = _pid(path)
    if not _lives(pid) or not _is_locked(path):
        raise NotRunning(f"no recorder works on {data_dir}")
    os.kill(pid, number)
    return pid


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_locked(path: Path) -> bool:
    with path.open("rb") as file:
        return not _try(file.fileno())


def _pid(path: Path) -> int:
    try:
        return int(path.read_text() or 0)
    except (FileNotFoundError, ValueError):
        return 0


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return pid > 0
