"""Opening, making and migrating the database."""

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text
from sqlmodel import SQLModel, select

import srs.archive.database
import srs.handoff.tables
import srs.privacy.cases.tables
import srs.privacy.request
import srs.privacy.tables
import srs.web.tables
from srs.archive.database import REVISION, connect, reading, writing
from srs.archive.errors import DatabaseError, NewerDatabase
from srs.archive.tables import Leg, Recording

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def a_row(recording: str = "ab12", **more) -> Recording:
    return Recording(id=recording, state="ready", started_at=NOW, ended_at=NOW, duration_s=0.0, created_at=NOW, **more)


def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def engine(database_url: str):
    engine = connect(database_url)
    yield engine
    engine.dispose()


def known_to_models(item: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    """The words that recordings are found by have an index that differs from database to database."""
    return not (kind in ("table", "index") and str(name).startswith("recording_words")) and (
        name != "ix_recording_search_words"
    )


def test_models_and_migrations_agree(engine: Engine):
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_object": known_to_models}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, SQLModel.metadata) == []
    assert srs.privacy.request.RightsRequest.__tablename__ in SQLModel.metadata.tables
    assert srs.handoff.tables.Task.__tablename__ in SQLModel.metadata.tables


def test_revision_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(Path(srs.archive.database.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


def test_sqlite_is_set_to_keep_what_was_committed(tmp_path: Path):
    engine = connect(url(tmp_path / "new" / "folder" / "db.sqlite"))
    with reading(engine) as session:
        pragmas = {
            name: session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_opening_again_keeps_what_is_there(untouched_database_url: str):
    for _ in range(2):
        engine = connect(untouched_database_url)
        with writing(engine) as session:
            session.merge(a_row(legs=[Leg(channel=0)]))
        with reading(engine) as session:
            assert [(row.id, len(row.legs)) for row in session.exec(select(Recording))] == [("ab12", 1)]
        engine.dispose()


def test_moments_come_back_in_utc_whatever_zone_they_had(engine: Engine):
    row = a_row()
    row.started_at = NOW.astimezone(timezone(timedelta(hours=5)))
    with writing(engine) as session:
        session.add(row)
    with reading(engine) as session:
        found = session.exec(select(Recording)).one()
    assert found.started_at == NOW
    assert found.started_at.utcoffset() == timedelta(0)


def test_an_exception_undoes_the_transaction(engine: Engine):
    def fail() -> None:
        with writing(engine) as session:
            session.add(a_row())
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with reading(engine) as session:
        assert session.exec(select(Recording)).all() == []


OPEN_AND_ADD = """
import sys
from datetime import UTC, datetime
from srs.archive.database import connect, writing
from srs.archive.tables import Recording

now = datetime(2026, 11, 24, tzinfo=UTC)
engine = connect(sys.argv[1])
for i in range(5):
    with writing(engine) as session:
        moments = {"started_at": now, "ended_at": now, "created_at": now}
        session.add(Recording(id=f"{sys.argv[2]}-{i}", state="ready", duration_s=0, **moments))
"""


FIRST_RECORDING = """INSERT INTO recording (id, state, started_at, ended_at, created_at, duration_s, facts, held)
    VALUES ('old', 'ready', '2026-11-24', '2026-11-24', '2026-11-24', 3, '{}', '0')"""
FIRST_LEG = """INSERT INTO leg (recording_id, channel, aor, packets, lost, seconds, facts)
    VALUES ('old', 0, 'ann', 1, 0, 1, '{}')"""


def test_what_the_first_version_recorded_is_still_there(untouched_database_url: str):
    engine, config = create_engine(untouched_database_url), Config()
    config.set_main_option("script_location", str(Path(srs.archive.database.__file__).parent / "migrations"))
    with engine.begin() as config.attributes["connection"]:
        command.upgrade(config, "0001")
    with engine.begin() as connection:
        for statement in (FIRST_RECORDING, FIRST_LEG):
            connection.execute(text(statement))
    engine.dispose()
    engine = connect(untouched_database_url)
    with reading(engine) as session:
        (row,) = session.exec(select(Recording))
        assert [leg.aor for leg in row.legs] == ["ann"]
        if engine.dialect.name == "sqlite":
            assert session.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
    engine.dispose()


def test_several_processes_open_a_new_database_at_once(untouched_database_url: str):
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN_AND_ADD, untouched_database_url, str(i)]) for i in range(4)
    ]
    for process in processes:
        process.wait()
    assert [process.returncode for process in processes] == [0] * 4
    engine = connect(untouched_database_url)
    with reading(engine) as session:
        assert session.execute(text("SELECT count(*) FROM recording")).scalar_one() == 20
        assert session.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [REVISION]
    engine.dispose()


def test_a_migration_that_is_cut_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    upgrade = srs.archive.database.upgrade

    def cut(connection) -> None:
        upgrade(connection)
        raise KeyboardInterrupt

    monkeypatch.setattr("srs.archive.database.upgrade", cut)
    with pytest.raises(KeyboardInterrupt):
        connect(url(tmp_path / "db"))
    with sqlite3.connect(tmp_path / "db") as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()


def test_a_newer_database_is_refused(tmp_path: Path):
    connect(url(tmp_path / "db")).dispose()
    with sqlite3.connect(tmp_path / "db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(NewerDatabase, match="9999"):
        connect(url(tmp_path / "db"))


@pytest.mark.parametrize("wrong", ["nonsense", "bogus://x", "postgresql+bogus://x/y"])
def test_a_url_of_no_database_is_named(wrong: str):
    with pytest.raises(DatabaseError, match="url"):
        connect(wrong)


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path):
    (tmp_path / "db").write_bytes(b"something else " * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        connect(url(tmp_path / "db"))
    assert (tmp_path / "db").read_bytes() == b"something else " * 100


def test_the_password_stays_out_of_messages():
    with pytest.raises(DatabaseError) as caught:
        connect("sqlite://user:secret@host/nowhere/db")
    assert "secret" not in str(caught.value)
