"""How fast recordings fill the disk."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, func
from sqlmodel import col, select

from srs.archive.database import reading
from srs.archive.tables import Recording

DAYS = 7


def octets_a_day(engine: Engine, now: datetime) -> float:
    """Of recordings of the last week that are still there; younger archives are measured since their first."""
    query = select(func.sum(Recording.bytes), func.min(Recording.created_at)).where(
        col(Recording.created_at) > now - timedelta(days=DAYS), col(Recording.bytes).is_not(None)
    )
    with reading(engine) as session:
        octets, first = session.exec(query).one()
    if not octets:
        return 0.0
    return float(octets) / max(1.0, (now - first) / timedelta(days=1))
