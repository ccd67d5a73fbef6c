"""Calls in which somebody was not told that they are recorded."""

from datetime import datetime

from sqlalchemy import Engine, func
from sqlmodel import col, select

from srs.archive.database import reading
from srs.archive.tables import Notice, NoticeState, Recording

CHECKED = (NoticeState.HEARD, NoticeState.OUTSIDE, NoticeState.MISSING)


def untold(engine: Engine, since: datetime, until: datetime) -> list[Recording]:
    """The recordings of a period in which a party was not told, oldest first."""
    missing = col(Recording.notices).any(col(Notice.state) == NoticeState.MISSING)
    query = select(Recording).where(Recording.started_at >= since, Recording.started_at < until, missing)
    with reading(engine) as session:
        return list(session.exec(query.order_by(col(Recording.started_at))))


def told_and_untold(engine: Engine, since: datetime, until: datetime) -> tuple[int, int]:
    """Of the recordings of a period in which notice was looked for: those where all were told, and the others."""
    of_period = select(Recording.id).where(Recording.started_at >= since, Recording.started_at < until)
    checked = select(func.count(col(Notice.recording_id).distinct())).where(
        col(Notice.recording_id).in_(of_period), col(Notice.state).in_(CHECKED)
    )
    with reading(engine) as session:
        calls = session.exec(checked).one()
        without = session.exec(checked.where(col(Notice.state) == NoticeState.MISSING)).one()
    return calls - without, without
