"""The archive with all that has a say in its recordings: the one place that knows the packages above it.

    python -m srs.assembly [--config FILE] [--data DIR] [--channel DESCRIPTOR]

is the handoff process (`srs.handoff.worker`).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial

from srs.archive import keep
from srs.archive.grouping import Grouping
from srs.archive.keep import Archive
from srs.config import Settings
from srs.handoff import worker
from srs.handoff.module import Witness
from srs.handoff.plan import planner
from srs.privacy import alarm, audit, checkpoints, staff_rule
from srs.privacy.audit import Act
from srs.privacy.cases.apart import Apart
from srs.privacy.cases.cabinet import Cabinet
from srs.privacy.cases.watch import Watch
from srs.privacy.chore import Chore
from srs.privacy.judge import Judge
from srs.privacy.restored import Sweep


def open_archive(settings: Settings) -> Archive:
    """The archive that the settings describe.

    Raises:
        DatabaseError, StoreError: one of them is not to be had.
    """
    on_stored = (Grouping(settings.group).note, planner(settings))  # rows are written out when they are planned for
    return keep.open_archive(settings, Judge(settings), on_stored, (Apart(settings),))


def chores(archive: Archive, settings: Settings) -> Iterable[Callable[[], None]]:
    """What the handoff process does now and then beside keeping what ends."""
    notices = partial(alarm.look, archive.engine, settings.privacy.notice_alarm, worker.alarms)
    mails = staff_rule.StaffNotices(archive.engine, settings)
    return [
        Sweep(archive.engine, archive.store, settings),
        Chore(alarm.EVERY_S, notices, "calls without notice are not counted"),
        Chore(checkpoints.EVERY_S, partial(checkpoints.write, archive.engine, settings), "no checkpoint of the audit"),
        Chore(staff_rule.EVERY_S, mails.look, "employees are not told yet"),
        partial(Grouping(settings.group).chore, archive.engine),
        Watch(Cabinet(settings, archive.engine, archive.store)),
    ]


def witness(archive: Archive) -> Witness:
    """Writes into the audit what the recorder does by itself."""

    def write(action: str, subject: str, details: Mapping[str, object]) -> None:
        act = Act("recorder", action, subject, "recorder", details=details)
        audit.record(archive.engine, act, datetime.now(UTC))

    return write


if __name__ == "__main__":
    worker.main(open_archive, chores, witness)
