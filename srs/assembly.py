"""The archive with all that has a say in its recordings: the one place that knows the packages above it.

    python -m srs.assembly [--config FILE] [--data DIR] [--channel DESCRIPTOR]

is the handoff process (`srs.handoff.worker`).
"""

from collections.abc import Callable, Iterable

from srs.archive import keep
from srs.archive.keep import Archive
from srs.config import Settings
from srs.handoff import worker
from srs.handoff.plan import planner
from srs.privacy.alarm import NoticeAlarm
from srs.privacy.checkpoints import Checkpoints
from srs.privacy.judge import Judge
from srs.privacy.restored import Sweep


def open_archive(settings: Settings) -> Archive:
    """The archive that the settings describe.

    Raises:
        DatabaseError, StoreError: one of them is not to be had.
    """
    return keep.open_archive(settings, Judge(settings), (planner(settings),))


def chores(archive: Archive, settings: Settings) -> Iterable[Callable[[], None]]:
    """What the handoff process does now and then beside keeping what ends."""
    return [
        Sweep(archive.engine, archive.store, settings),
        NoticeAlarm(archive.engine, settings.privacy.notice_alarm, worker.alarms),
        Checkpoints(archive.engine, settings),
    ]


if __name__ == "__main__":
    worker.main(open_archive, chores)
