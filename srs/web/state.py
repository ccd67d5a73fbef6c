"""How the recorder is doing."""

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlmodel import col, select
from starlette.responses import Response

from srs import telling
from srs.alarms import Alarm
from srs.archive import captures, recorded
from srs.archive.database import reading
from srs.archive.tables import Recorded, Recording, State
from srs.handoff import tasks
from srs.handoff.tables import TaskState
from srs.web.pages import page
from srs.web.visit import Visit

HOURS: Final = 24
FAR: Final = 3650
"""Days that no forecast is worth anything for."""
WEEK: Final = timedelta(days=7)
MOST: Final = 10
"""Of what failed."""
FOLDERS: Final = ("open", "ended", "kept", "failed")


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was recorded in the last day."""

    hours: tuple[int, ...]
    """Calls of each hour to ten minutes precisely, the oldest first."""
    packets: int
    lost: int

    @property
    def complete(self) -> float:
        sent = self.packets + self.lost
        return self.packets / sent if sent else 1.0


@dataclass(frozen=True, slots=True)
class Disk:
    """Of captures, and of sound where that is kept beside them."""

    free: int
    total: int
    a_day: float
    """Octets recorded, by the last week."""

    @property
    def days(self) -> int | None:
        """Until it is full, if nothing is deleted; None: not in this recorder's life."""
        days = int(self.free / max(self.a_day, 1.0))
        return days if days < FAR else None


def shown(visit: Visit) -> Response:
    house, data_dir = visit.house, visit.house.settings.data_dir
    return page(
        visit,
        "state.html",
        traffic=traffic(house.engine, visit.now),
        disk=disk(house.engine, data_dir, visit.now),
        waiting=waiting(data_dir),
        tasks=tasks.counts(house.engine),
        given_up=tasks.listing(house.engine, (TaskState.FAILED,), MOST),
        alarms=alarms(data_dir),
        failed=failed(house.engine),
    )


def alarms(data_dir: Path) -> list[Alarm]:
    """What is raised in any process of the recorder."""
    return [Alarm(**each) for news in telling.hear(data_dir).values() for each in news["alarms"]]


def waiting(data_dir: Path) -> dict[str, int]:
    """Captures in each folder."""
    return {name: len(captures.waiting(data_dir, name)) for name in FOLDERS}


def traffic(engine: Engine, now: datetime) -> Traffic:
    since = now - timedelta(hours=HOURS)
    slots = recorded.since(engine, since)
    packets, lost = (sum(getattr(slot, name) for slot in slots) for name in ("packets", "lost"))
    return Traffic(per_hour(slots, since), packets, lost)


def per_hour(slots: Iterable[Recorded], since: datetime) -> tuple[int, ...]:
    """How many calls fall into each hour since then."""
    counted: Counter[int] = Counter()
    for slot in slots:
        counted[min(int((slot.slot - since) / timedelta(hours=1)), HOURS - 1)] += slot.calls
    return tuple(counted[hour] for hour in range(HOURS))


def disk(engine: Engine, data_dir: Path, now: datetime) -> Disk:
    usage = shutil.disk_usage(data_dir)
    octets = sum(slot.bytes for slot in recorded.since(engine, now - WEEK))
    return Disk(usage.free, usage.total, octets / WEEK.days)


def failed(engine: Engine) -> list[Recording]:
    """The last recordings that could not be made."""
    query = select(Recording).where(Recording.state == State.FAILED).order_by(col(Recording.started_at).desc())
    with reading(engine) as session:
        return list(session.exec(query.limit(MOST)))
