"""How the recorder is doing."""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, func
from sqlmodel import col, select
from starlette.responses import Response

from srs import telling
from srs.alarms import Alarm
from srs.archive import captures
from srs.archive.database import reading
from srs.archive.tables import Leg, Recording, State
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
    """Calls of each hour, the oldest first."""
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
    recent = col(Recording.started_at) >= since
    with reading(engine) as session:
        starts = session.exec(select(Recording.started_at).where(recent)).all()
        legs = select(func.coalesce(func.sum(Leg.packets), 0), func.coalesce(func.sum(Leg.lost), 0))
        packets, lost = session.exec(legs.join(Recording).where(recent)).one()
    return Traffic(per_hour(starts, since), int(packets), int(lost))


def per_hour(starts: Sequence[datetime], since: datetime) -> tuple[int, ...]:
    """How many fall into each hour since then."""
    counted = Counter(int((start - since).total_seconds() // 3600) for start in starts)
    return tuple(counted[hour] for hour in range(HOURS))


def disk(engine: Engine, data_dir: Path, now: datetime) -> Disk:
    usage = shutil.disk_usage(data_dir)
    recent = select(func.coalesce(func.sum(Recording.bytes), 0)).where(col(Recording.started_at) >= now - WEEK)
    with reading(engine) as session:
        octets = session.exec(recent).one()
    return Disk(usage.free, usage.total, float(octets or 0) / WEEK.days)


def failed(engine: Engine) -> list[Recording]:
    """The last recordings that could not be made."""
    query = select(Recording).where(Recording.state == State.FAILED).order_by(col(Recording.started_at).desc())
    with reading(engine) as session:
        return list(session.exec(query.limit(MOST)))
