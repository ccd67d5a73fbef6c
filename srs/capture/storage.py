"""Can captures be written? Tried in a thread of its own, because a sick disk lets those who ask it wait."""

import asyncio
import os
import time
from pathlib import Path

from srs.capture.health import Health, Probe

TRIAL = bytes(1 << 16)
INTERVAL_S = 1.0


async def watch_disk(health: Health, directory: Path, tried: asyncio.Event) -> None:
    """Try the disk once a second, for ever; `tried` is set after the first time."""
    while True:
        begun = time.monotonic()
        trial = asyncio.get_running_loop().run_in_executor(None, probe, directory)
        while not (await asyncio.wait([trial], timeout=INTERVAL_S))[0]:
            health.watch(time.monotonic())
        health.on_probe(trial.result(), begun, time.monotonic())
        tried.set()
        await asyncio.sleep(INTERVAL_S)


def probe(directory: Path) -> Probe:
    """Write a small file into a folder and remove it. Blocks as long as the disk does."""
    begun = time.monotonic()
    free, error = 0, None
    try:
        disk = os.statvfs(directory)
        free = disk.f_bavail * disk.f_frsize
        _try_to_write(directory / ".trial")
    except OSError as failure:
        error = failure.strerror or str(failure)
    return Probe(free, error, time.monotonic() - begun)


def _try_to_write(path: Path) -> None:
    try:
        with path.open("wb", buffering=0) as file:
            if file.write(TRIAL) < len(TRIAL):
                file.write(TRIAL)  # the rest, to hear why
    finally:
        path.unlink(missing_ok=True)
