"""Groups of recordings follow the settings."""

from datetime import UTC, datetime

from sqlmodel import Session

from srs.archive.database import connect, reading, writing
from srs.archive.grouping import BATCH, Grouping
from srs.archive.search import Search, search
from srs.archive.tables import Recording, State
from srs.config.rules import GroupSettings

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def recording(number: int) -> Recording:
    moments = {"started_at": NOW, "ended_at": NOW, "created_at": NOW, "duration_s": 1.0}
    return Recording(id=f"r{number}", state=State.READY, parties=f"{number}\nsip:{number}@x\n", **moments)


def test_groups_are_noted_by_patterns_of_parties():
    row = recording(201)
    groups = [
        GroupSettings(name=name, extensions=[each]) for name, each in (("sales", "2??"), ("all", "*"), ("b", "3*"))
    ]
    Grouping(groups).note(Session(), row)
    assert row.groups == ["sales", "all"]


def test_when_the_settings_change_all_recordings_follow_and_are_found_so(database_url: str):
    engine = connect(database_url)
    with writing(engine) as session:
        session.add_all([recording(number) for number in range(200, 200 + BATCH + 5)])
    grouping = Grouping([GroupSettings(name="front desk", extensions=["200", "201"])])
    assert [grouping.follow(engine) for _ in range(3)] == [BATCH, 5, 0]
    assert {row.id for row in search(engine, Search(group="front desk")).rows} == {"r200", "r201"}
    again = Grouping([GroupSettings(name="front desk", extensions=["201"])])
    for _ in range(3):
        again.chore(engine)
    assert [row.id for row in search(engine, Search(group="front desk")).rows] == ["r201"]
    with reading(engine) as session:
        row = session.get(Recording, "r200")
        assert row is not None
        assert row.groups == []
    engine.dispose()
