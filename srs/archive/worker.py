"""The archive process: takes ended captures into the archive, one at a time, at low priority.

    python -m srs.archive.worker [--config FILE] [--data DIR] [--channel DESCRIPTOR]

It ends after the capture at hand on SIGTERM, or when the process at the other end of the channel is gone. While
database or store are away the captures wait in their folder.
"""

import argparse
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from srs import config, log
from srs.archive import captures
from srs.archive.errors import ArchiveError, NoRecording
from srs.archive.keep import Archive, keep, open_archive

logger = structlog.get_logger()

POLL_S = 0.2
NICENESS = 10
SHORTEST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


def keep_all(archive: Archive, stopped: Callable[[], bool], last: Iterable[Path] = ()) -> Path | None:
    """Keep every ended capture, oldest first, those in `last` after the others, until one cannot be kept now.

    Returns:
        That one: database, store or disk are away. None when all went well.
    """
    late = set(last)
    for capture in sorted(captures.waiting(archive.data_dir, "ended"), key=late.__contains__):
        if stopped():
            break
        try:
            _keep(archive, capture)
        except (ArchiveError, OSError) as error:
            logger.warning("not kept yet", recording=capture.stem, reason=str(error))
            return capture
    return None


def _keep(archive: Archive, capture: Path) -> None:
    begun = time.perf_counter()
    try:
        row = keep(archive, capture)
    except NoRecording:  # another process took it, and somebody threw it away since
        return
    logger.info(
        "kept",
        recording=row.id,
        state=str(row.state),
        call_id=row.call_id,
        seconds=round(row.duration_s, 3),
        reason=row.reason,
        took_s=round(time.perf_counter() - begun, 3),
    )


def watch(archive: Archive, wait: Callable[[float], bool]) -> None:
    """Keep what ends, until `wait`, which waits for so many seconds, says that it is time to stop."""
    pause, failed = POLL_S, set[Path]()
    while not wait(pause):
        stuck = keep_all(archive, lambda: wait(0.0), failed)
        if stuck is None:
            pause, failed = POLL_S, set()
        else:
            pause = min(max(SHORTEST_PAUSE_S, 2 * pause), LONGEST_PAUSE_S)
            failed.add(stuck)  # so that one bad capture does not hold up those behind it


def _open(settings: config.Settings, wait: Callable[[float], bool]) -> Archive | None:
    """The archive, as soon as it is to be had; None if it is time to stop before."""
    pause = SHORTEST_PAUSE_S
    while True:
        try:
            return open_archive(settings)
        except ArchiveError as error:
            logger.warning("archive is away", reason=str(error), tries_again_in_s=pause)
        if wait(pause):
            return None
        pause = min(2 * pause, LONGEST_PAUSE_S)


def _waiter(channel: int | None) -> Callable[[float], bool]:
    """Waits for a stop by signal or by the end of the channel."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if channel is not None:
        threading.Thread(target=_follow, args=(channel, stop), daemon=True).start()
    return stop.wait


def _follow(channel: int, stop: threading.Event) -> None:
    with socket.socket(fileno=channel) as end:
        while end.recv(1 << 18):
            continue
    stop.set()


def main() -> None:
    parser = argparse.ArgumentParser(prog="srs.archive.worker")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--channel", type=int)
    arguments = parser.parse_args()
    log.configure()
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    os.umask(0o077)
    wait = _waiter(arguments.channel)
    if archive := _open(config.load(arguments.config, arguments.data), wait):
        watch(archive, wait)


if __name__ == "__main__":
    main()
