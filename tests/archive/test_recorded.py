"""How much was recorded when is counted as recordings are saved."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, text
from sqlmodel import select

from srs.archive import recorded
from srs.archive.database import connect, reading, writing
from srs.archive.tables import Leg, Recorded, Recording, State

NOW = datetime.now(UTC).replace(minute=25, second=0, microsecond=0)


@pytest.fixture
def engine(database_url: str):
    engine = connect(database_url)
    yield engine
    engine.dispose()


def recording(name: str, began: datetime, octets: int | None, *packets: tuple[int, int], **more) -> Recording:
    legs = [Leg(channel=channel, packets=came, lost=lost) for channel, (came, lost) in enumerate(packets)]
    moments = {"started_at": began, "ended_at": began, "created_at": began, "duration_s": 1.0}
    return Recording(id=name, **{"state": State.READY, "bytes": octets, "legs": legs, **moments, **more})


def save(engine: Engine, *rows: Recording) -> None:
    with writing(engine) as session:
        for row in rows:
            session.merge(row)


def counted(engine: Engine, moment: datetime) -> list[tuple[datetime, int, int, int, int]]:
    found = recorded.since(engine, moment)
    return [(slot.slot, slot.calls, slot.packets, slot.lost, slot.bytes) for slot in found]


def test_each_ten_minutes_have_what_began_in_them(engine: Engine):
    minute = timedelta(minutes=1)
    save(engine, recording("a", NOW, 100, (5, 1), (6, 0)), recording("b", NOW - 4 * minute, 20, (7, 2)))
    save(engine, recording("c", NOW - 6 * minute, 3), recording("old", NOW - timedelta(days=9), 9000, (9, 9)))
    slot = NOW - 5 * minute
    assert counted(engine, NOW - timedelta(hours=1)) == [(slot - 10 * minute, 1, 0, 0, 3), (slot, 2, 18, 3, 120)]


def test_nothing_is_counted_twice_and_what_failed_once_is_made_good(engine: Engine):
    (slot, began) = (NOW - timedelta(minutes=5), NOW - timedelta(minutes=1))
    save(engine, recording("a", began, None, state=State.FAILED))
    assert counted(engine, slot) == [(slot, 1, 0, 0, 0)]
    save(engine, recording("a", began, 100, (5, 1)))
    assert counted(engine, slot) == [(slot, 1, 5, 1, 100)]
    with writing(engine) as session:
        row = session.get_one(Recording, "a")
        row.note, row.file, row.bytes, row.state = "gone", None, None, State.DELETED
    save(engine, recording("a", began, 100, (5, 1), tags=["again"]))
    assert counted(engine, slot)[0][:4] == (slot, 1, 5, 1)


def test_an_upgrade_counts_the_last_days(engine: Engine):
    hours = (0, 1, 30, 24 * 7)
    save(engine, *(recording(f"r{hour}", NOW - timedelta(hours=hour), 10 * hour, (hour, 1)) for hour in hours))
    save(engine, recording("none", NOW, None), recording("far", NOW - timedelta(days=20), 1))
    before = counted(engine, NOW - timedelta(days=8))
    assert len(before) == len(hours)
    with engine.begin() as connection:
        for statement in ("DROP TABLE recorded", "DROP INDEX ix_task_state_due_at"):
            connection.execute(text(statement))
        connection.execute(text("UPDATE alembic_version SET version_num = '0020'"))
    again = connect(engine.url.render_as_string(hide_password=False))
    assert counted(again, NOW - timedelta(days=30)) == before
    again.dispose()


def test_it_is_read_without_the_recordings(engine: Engine):
    save(engine, *(recording(f"r{each}", NOW, 1, (1, 0)) for each in range(30)))
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    assert [slot.calls for slot in recorded.since(engine, NOW - timedelta(days=7))] == [30]
    assert all("FROM recorded" in statement for statement in asked if statement.startswith("SELECT"))
    with reading(engine) as session:
        assert len(session.exec(select(Recorded)).all()) == 1
