"""Finding recordings by words and facts, on each database."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, inspect, text
from sqlmodel import col, select

import srs.archive.database
import srs.archive.search
from srs.archive.database import connect, writing
from srs.archive.search import Search, _query, search
from srs.archive.searchable import Searchable, plain
from srs.archive.tables import Leg, Notice, Recording, State

BEFORE = "0003"
"""The revision of the database before there was a search."""
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str):
    engine = connect(database_url)
    yield engine
    engine.dispose()


def add(engine: Engine, recording: str, minute: float = 0.0, legs: tuple[Leg, ...] = (), **more) -> None:
    start = NOON + timedelta(minutes=minute)
    told = {"state": State.READY, "duration_s": 60.0, **more}
    with writing(engine) as session:
        row = Recording(id=recording, started_at=start, ended_at=start, created_at=start, legs=list(legs), **told)
        session.add(row)


def found(engine: Engine, words: str = "", **wanted) -> list[str]:
    return [row.id for row in search(engine, Search(words, **wanted)).rows]


@pytest.mark.parametrize(
    "words",
    [
        "josé",
        "JOSE",
        "ose gar",
        "garcia josé",
        "+31 20 123-4567",
        "+31201234567",
        "0201"[:3] + "1",
        "1234567",
        "12",
        "pbx.EXAMPLE",
        "#vip_client",
        "vip",
        'quo"te',
        "100%_",
    ],
)
def test_words_find_a_party_whatever_the_letters_and_marks(engine: Engine, words: str):
    legs = (
        Leg(channel=0, aor="sip:+31-20-1234567@pbx.example.com", name="José García"),
        Leg(channel=1, aor="sip:12@x"),
    )
    add(engine, "wanted", legs=legs, tags=["VIP client"], note='quo"te 100%_ 0201', caller="sip:+31-20-1234567@x")
    add(engine, "other", legs=(Leg(channel=0, aor="sip:123@other.org", name="Ann"),))
    assert found(engine, words) == ["wanted"]


@pytest.mark.parametrize("words", ["1", "99", "zzz", "jose ann", "%%%", "1__", '"'])
def test_words_that_stand_nowhere_find_nothing(engine: Engine, words: str):
    add(engine, "one", legs=(Leg(channel=0, aor="sip:123@example.com", name="José"),))
    assert found(engine, words) == []


def test_the_newest_come_first_and_pages_follow_each_other_without_gap_or_double(engine: Engine):
    for number in range(7):
        add(engine, f"r{number}", minute=number // 2, caller="sip:ann@example.com")
    seen: list[str] = []
    before = None
    while True:
        page = search(engine, Search("ann"), before=before, limit=3)
        seen += [row.id for row in page.rows]
        before = page.older
        if before is None:
            break
    assert sorted(seen) == [f"r{number}" for number in range(7)]
    assert [name[1] in "01" for name in seen[-2:]] == [True, True]
    assert seen[0] == "r6"


FACTS = [
    ({"since": NOON + timedelta(minutes=5)}, ["late"]),
    ({"until": NOON + timedelta(minutes=5)}, ["early"]),
    ({"min_s": 100.0}, ["late"]),
    ({"max_s": 100.0}, ["early"]),
    ({"purpose": "sales"}, ["late"]),
    ({"tag": "Blue Sky"}, ["late"]),
    ({"state": "failed"}, []),
    ({"held": True}, ["early"]),
    ({"below": 0.95}, ["late"]),
    ({"mos_below": 3.5}, ["late"]),
    ({"notice": "missing"}, ["late"]),
    ({"notice": "heard"}, ["early"]),
    ({"extension": "201"}, ["late"]),
    ({"extension": "sip:201@example.com"}, ["late"]),
    ({"extension": "20"}, []),
    ({"group": "Inside Sales"}, ["late"]),
    ({"group": "sales"}, []),
    ({}, ["late", "early"]),
]


@pytest.mark.parametrize(("wanted", "ids"), FACTS)
@pytest.mark.parametrize("few", [0, srs.archive.search.FEW], ids=["met on the way", "by the rarest"])
def test_facts_narrow_what_is_found(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, object], ids: list[str], few: int
):
    monkeypatch.setattr(srs.archive.search, "FEW", few)
    good, poor, unknown = ({"quality": {"mos": mos}} for mos in (4.3, 3.1, None))
    heard = [Notice(place=0, state="staff"), Notice(place=1, state="heard")]
    early = (Leg(channel=0, aor="sip:a@example.com", packets=100, facts=good), Leg(channel=1, facts=unknown))
    add(engine, "early", legs=early, held=True, notices=heard)
    untold = [Notice(place=0, state="heard"), Notice(place=1, state="missing")]
    late = (
        Leg(channel=0, aor="sip:a@example.com", packets=100, facts=good),
        Leg(channel=1, aor="sip:201@example.com", packets=90, lost=10, facts=poor),
    )
    told = {"duration_s": 200.0, "purpose": "sales", "tags": ["blue sky", "blue"], "groups": ["inside sales"]}
    add(engine, "late", 10, late, notices=untold, **told)
    assert found(engine, **wanted) == ids
    assert found(engine, "example", **wanted) == ids


def test_what_changes_is_found_by_what_it_is_now_and_what_goes_is_not_found(engine: Engine):
    add(engine, "one", caller="sip:ann@example.com", tags=["old"])
    with writing(engine) as session:
        row = session.get(Recording, "one")
        assert row is not None
        row.note, row.tags, row.held = "Complaint", ["new"], True
    assert found(engine, "complaint") == found(engine, tag="new") == found(engine, held=True) == ["one"]
    assert found(engine, tag="old") == []
    with writing(engine) as session:
        session.delete(session.get(Recording, "one"))
    assert found(engine) == found(engine, "complaint") == []


OLD = (
    "INSERT INTO recording (id, state, started_at, ended_at, created_at, duration_s, caller, facts, tags, held)"
    " VALUES ('old', 'ready', :noon, :noon, :noon, 3, 'sip:ann@example.com', '{}', '[\"x\"]', :held)"
)


def test_what_was_recorded_before_there_was_a_search_is_found(untouched_database_url: str):
    engine = create_engine(untouched_database_url)
    config = Config()
    config.set_main_option("script_location", str(Path(srs.archive.database.__file__).parent / "migrations"))
    with engine.begin() as config.attributes["connection"]:
        command.upgrade(config, BEFORE)
    with engine.begin() as connection:
        connection.execute(text(OLD), {"noon": "2026-11-24 12:00:00+00:00", "held": False})
    engine.dispose()
    engine = connect(untouched_database_url)
    assert found(engine, "ann", tag="x", since=NOON, until=NOON + timedelta(seconds=1)) == ["old"]
    engine.dispose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_has_an_index_of_trigrams_and_knows_which_words_are_rare(engine: Engine):
    with engine.connect() as connection:
        asked = "SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_recording_search_words'"
        assert connection.execute(text(asked)).scalar_one() == 1
        asked = "SELECT attstattarget FROM pg_attribute WHERE attrelid = 'recording_search'::regclass"
        assert connection.execute(text(f"{asked} AND attname = 'words'")).scalar_one() == 1000


WALKED = [
    ({"min_s": 5.0}, None, "COVERING INDEX ix_recording_search_walk"),
    ({"purpose": "sales"}, None, "COVERING INDEX ix_recording_search_purpose"),
    ({"text": "anna", "held": True}, None, "recording_words"),
    ({"text": "anna", "held": True}, select(col(Searchable.position)).where(col(Searchable.held)), "(rowid=?)"),
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("wanted", "few", "by"), WALKED)
def test_pages_are_found_newest_first_without_sorting(engine: Engine, wanted: dict, few: object, by: str):
    """PostgreSQL chooses by how many there are."""
    query = _query(Search(**wanted), None, "sqlite", few).compile(engine, compile_kwargs={"literal_binds": True})
    with engine.connect() as connection:
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
    assert any(by in step for step in plan), plan
    assert not any("TEMP B-TREE" in step for step in plan), plan


@pytest.mark.parametrize("fact", ["duration_s", "complete", "purpose", "state", "held", "mos", "notice"])
def test_there_is_an_index_of_each_fact(engine: Engine, fact: str):
    found = {index["name"]: index["column_names"] for index in inspect(engine).get_indexes("recording_search")}
    assert found[f"ix_recording_search_{fact}"] == [fact, "position"]


def test_plain():
    assert plain("Éé ÅSTRÖM ﬁ") == "ee astrom fi"


def test_only_what_may_be_seen_is_found(engine: Engine):
    add(engine, "mine", caller="sip:ann@example.com", peer="north")
    add(engine, "theirs", caller="sip:ann@example.com", peer="south")
    page = search(engine, Search("ann"), visible=col(Recording.peer) == "north")
    assert [row.id for row in page.rows] == ["mine"]


def test_what_a_process_writes_that_never_searches_is_found(engine: Engine, database_url: str):
    program = """
        import sys
        from datetime import UTC, datetime
        from srs.archive.database import connect, writing
        from srs.archive.tables import Recording, State
        now = datetime.now(UTC)
        with writing(connect(sys.argv[1])) as session:
            row = Recording(id="r", call_id="c@pbx", state=State.READY, started_at=now, ended_at=now, created_at=now,
                            duration_s=1.0)
            session.add(row)
    """
    subprocess.run([sys.executable, "-c", dedent(program), database_url], check=True)
    assert found(engine, "c@pbx") == ["r"]
