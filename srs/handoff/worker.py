"""The handoff process: takes ended captures into the archive, one at a time, and does the tasks that are due, at low
priority.

    python -m srs.assembly [--config FILE] [--data DIR] [--channel DESCRIPTOR]

It ends after the capture at hand on SIGTERM, or when the process at the other end of the channel is gone. While
database or store are away the captures wait in their folder. Tasks are done in threads of their own.
"""

import argparse
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import structlog

from srs import config, log, telling
from srs.alarms import Alarms
from srs.archive import captures
from srs.archive.errors import ArchiveError, NoRecording
from srs.archive.heap import keep_freed
from srs.archive.keep import Archive, keep
from srs.handoff import alarm_post
from srs.handoff.heart import Heart
from srs.handoff.lanes import Lanes
from srs.handoff.module import Context, Witness, nobody
from srs.handoff.modules import modules
from srs.handoff.prune import is_on_disk_of, prune

logger = structlog.get_logger()

alarms = Alarms()

POLL_S = 0.2
PRUNE_S = 5.0
NICENESS = 10
SHORTEST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


Opening = Callable[[config.Settings], Archive]
Chores = Callable[[Archive, config.Settings], Iterable[Callable[[], None]]]
Audited = Callable[[Archive], Witness]


def keep_all(archive: Archive, stopped: Callable[[], bool], last: Iterable[Path] = ()) -> Path | None:
    """Keep every ended capture, oldest first, those in `last` after the others, until one cannot be kept now.

    Returns:
        That one: database, store or disk are away. None when all went well.
    """
    late = set(last)
    for capture in sorted(captures.waiting(archive.data_dir, "ended"), key=late.__contains__):
        if stopped():
            break
        if not captures.is_whole(archive.data_dir, capture):
            continue
        try:
            _keep(archive, capture)
        except (ArchiveError, OSError) as error:
            logger.warning("not kept yet", recording=capture.stem, reason=str(error))
            return capture
    return None


def _keep(archive: Archive, capture: Path) -> None:
    begun = time.perf_counter()
    try:
        rows = keep(archive, capture)
    except NoRecording:  # another process took it, and somebody threw it away since
        return
    for row in rows:
        logger.info(
            "kept",
            recording=row.id,
            state=str(row.state),
            call_id=row.call_id,
            seconds=round(row.duration_s, 3),
            reason=row.reason,
            took_s=round(time.perf_counter() - begun, 3),
        )


def watch(archive: Archive, wait: Callable[[float], bool], chores: Iterable[Callable[[], None]] = ()) -> None:
    """Keep what ends, until `wait`, which waits for so many seconds, says that it is time to stop."""
    pause, failed = POLL_S, set[Path]()
    while not wait(pause):
        for chore in chores:
            chore()
        stuck = keep_all(archive, lambda: wait(0.0), failed)
        alarms.set("archive", None if stuck is None else f"captures wait, the first is {stuck.stem}")
        if stuck is None:
            pause, failed = POLL_S, set()
        else:
            pause = min(max(SHORTEST_PAUSE_S, 2 * pause), LONGEST_PAUSE_S)
            failed.add(stuck)  # so that one bad capture does not hold up those behind it


class Pruner:
    """Makes room on a full disk, if the settings say so."""

    def __init__(self, archive: Archive, settings: config.Settings, witness: Witness = nobody) -> None:
        self._archive, self._settings, self._witness = archive, settings, witness
        self._wanted = settings.retention.when_full == "prune"
        if self._wanted and not is_on_disk_of(settings.data_dir, settings.store_url):
            logger.warning("when_full = prune gives no room: sound and captures are on different disks")
            self._wanted = False
        self._due = 0.0

    def __call__(self) -> None:
        """Look again, unless that was a moment ago."""
        if not self._wanted or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + PRUNE_S
        try:
            least = self._settings.admission.least_free
            prune(self._archive, self._settings, least, datetime.now(UTC), witness=self._witness)
        except (ArchiveError, OSError) as error:
            logger.warning("not pruned", reason=str(error))


def _open(settings: config.Settings, wait: Callable[[float], bool], opening: Opening) -> Archive | None:
    """The archive, as soon as it is to be had; None if it is time to stop before."""
    pause = SHORTEST_PAUSE_S
    while True:
        try:
            archive = opening(settings)
        except ArchiveError as error:
            alarms.set("archive", str(error))
        else:
            alarms.set("archive", None)
            return archive
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


def _drain() -> None:
    """Tell the keeper, our parent, to finish the calls under way and stop."""
    os.kill(os.getppid(), signal.SIGTERM)


def main(opening: Opening, chores: Chores, audited: Audited) -> None:
    """Run the process.

    Args:
        opening: opens the archive with all that has a say in it.
        chores: what else is to be done now and then.
        audited: what writes into the audit of an archive.
    """
    parser = argparse.ArgumentParser(prog="srs.assembly")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--channel", type=int)
    arguments = parser.parse_args()
    log.configure()
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    os.umask(0o077)
    keep_freed()
    wait = _waiter(arguments.channel)
    settings = config.load(arguments.config, arguments.data)
    telling.tell(settings.data_dir, "handoff", lambda: {"alarms": [asdict(alarm) for alarm in alarms.all()]})
    alarm_post.start(settings)
    archive = _open(settings, wait, opening)
    if archive is None:
        return
    heart = Heart(archive.engine, settings, _drain if arguments.channel is not None else lambda: None, alarms)
    if heart.join(wait):
        witness = audited(archive)
        context = Context(settings, archive.engine, archive.store, witness=witness)
        with Lanes(context, modules(settings), alarms), heart:
            watch(archive, wait, [Pruner(archive, settings, witness), heart, *chores(archive, settings)])
