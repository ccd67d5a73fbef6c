"""A database copied into one of another kind, and killed in the middle."""

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import JSON, Boolean, DateTime, Engine, Float, Integer, LargeBinary, Table, func, select
from support.commands import at_home, srs
from support.recorder import SRS

from srs.archive import moving
from srs.archive.database import connect, reading, writing
from srs.archive.errors import NotMovable
from srs.archive.search import Search, search
from srs.archive.tables import Node, Recording
from srs.commands.moving import _tables
from srs.handoff.tables import Task

__all__ = ["at_home", "srs"]

NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
MANY = 2 * moving.BATCH


@pytest.fixture
def postgres_url(postgres_server) -> str:
    """A new database that sorts text as people do, unlike SQLite: `a`, `A`, `b`."""
    postgres_server.database()
    with psycopg.connect(host="127.0.0.1", port=postgres_server.port, user="postgres", autocommit=True) as connection:
        name = f"sorted{time.monotonic_ns()}"
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' ENCODING 'UTF8'".encode()
        )
    return f"postgresql+psycopg://postgres@127.0.0.1:{postgres_server.port}/{name}"


@pytest.fixture
def opened() -> Iterator:
    """Opens databases by URL."""
    engines: list[Engine] = []

    def open_(url: str) -> Engine:
        engines.append(connect(url))
        return engines[-1]

    yield open_
    for engine in engines:
        engine.dispose()


def a_value(column, number: int) -> object:
    """Of a column's type; keys of recordings and people are the same in every table."""
    kinds = (
        (JSON, {"é": [number, None, 0.1, True]}),
        (Boolean, number % 2 == 0),
        (DateTime, NOON + timedelta(seconds=number)),
        (Float, number / 7),
        (Integer, number + 1),
        (LargeBinary, bytes([0, number % 256, 255])),
    )
    kind = column.type.impl if hasattr(column.type, "impl") else column.type
    return next((value for type_, value in kinds if isinstance(kind, type_)), f"{'aBcé'[number % 4]}{number:04}")


def fill(engine: Engine, table: Table, count: int) -> None:
    rows = [{column.name: a_value(column, number) for column in table.columns} for number in range(count)]
    with writing(engine) as session:
        session.execute(table.insert(), rows)


def contents(engine: Engine, table: Table) -> list[str]:
    with reading(engine) as session:
        return sorted(map(repr, session.execute(select(table))))


def rows_of_recordings(engine: Engine) -> int:
    with reading(engine) as session:
        return session.execute(select(func.count()).select_from(Recording)).scalar_one()


def killed_while_it_copies(command: list[str], target: Engine) -> bool:
    """Start it, and kill it when it has copied more; False if it ended before."""
    before = rows_of_recordings(target)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            if rows_of_recordings(target) > before:
                process.kill()
            time.sleep(0.01)  # it needs the processor too
        return process.returncode < 0


@pytest.mark.parametrize("way", ["to-postgresql", "to-sqlite"])
def test_all_is_there_though_it_was_killed_in_the_middle(
    way: str, postgres_url: str, tmp_path: Path, opened, srs, monkeypatch: pytest.MonkeyPatch
):
    urls = [f"sqlite:///{tmp_path}/one.sqlite", postgres_url]
    source_url, target_url = urls if way == "to-postgresql" else urls[::-1]
    source, target = opened(source_url), opened(target_url)
    for table in _tables():
        fill(source, table, MANY if table.name == "recording" else 9)
    monkeypatch.setenv("SRS_DATABASE__URL", source_url)
    assert killed_while_it_copies([*SRS, "migrate-to", target_url], target)
    assert 0 < rows_of_recordings(target) <= MANY
    status, out, err = srs("migrate-to", target_url)
    assert (status, err) == (0, "")
    assert f'[database]\nurl = "{target.url}"' in out
    assert "environment SRS_DATABASE__URL" in out
    for table in _tables():
        assert contents(source, table) == contents(target, table), table.name
    use(target)


def use(target: Engine) -> None:
    """New rows are numbered after the old ones, and search finds old ones."""
    with writing(target) as session:
        session.add(task := Task(key="new", kind="mail", due_at=NOON, created_at=NOON))
        session.flush()
        assert task.id == 10
    assert [row.id for row in search(target, Search("a0004")).rows] == ["a0004"]


def test_a_target_with_other_data_is_refused(tmp_path: Path, opened):
    source, target = (opened(f"sqlite:///{tmp_path}/{name}.sqlite") for name in ("one", "two"))
    [recording] = [table for table in _tables() if table.name == "recording"]
    fill(source, recording, 3)
    with writing(target) as session:
        changed = {column.name: a_value(column, 0) for column in recording.columns} | {"caller": "somebody"}
        session.execute(recording.insert(), changed)
    with pytest.raises(NotMovable, match="other data: table recording, id 'a0000'"):
        list(moving.copy(source, target, _tables()))
    assert rows_of_recordings(target) == 1


def test_a_target_with_more_is_refused(tmp_path: Path, opened):
    source, target = (opened(f"sqlite:///{tmp_path}/{name}.sqlite") for name in ("one", "two"))
    fill(target, _tables()[0], 1)
    with pytest.raises(NotMovable, match="other data"):
        list(moving.copy(source, target, _tables()))


def test_what_is_not_the_same_in_the_end_is_named(tmp_path: Path, opened):
    source, target = (opened(f"sqlite:///{tmp_path}/{name}.sqlite") for name in ("one", "two"))
    [recording] = [table for table in _tables() if table.name == "recording"]
    fill(source, recording, 3)
    list(moving.copy(source, target, _tables()))
    list(moving.compare(source, target, _tables()))
    with writing(target) as session:
        session.execute(recording.delete().where(recording.c.id == "c0002"))
    with pytest.raises(NotMovable, match="table recording: id 'c0002' is missing"):
        list(moving.compare(source, target, _tables()))


def test_nobody_may_write_meanwhile(tmp_path: Path, opened):
    source, target = (opened(f"sqlite:///{tmp_path}/{name}.sqlite") for name in ("one", "two"))
    told = {"token": "t", "host": "here", "version": "1", "state": "active"}
    with writing(source) as session:
        session.add(Node(id="node1", started_at=NOON, seen_at=NOON, **told))
    with pytest.raises(
        NotMovable, match=r"recorder node1 on here uses .*one\.sqlite, seen 12:00:00 UTC: stop it first"
    ):
        moving.check(source, target, _tables(), NOON + timedelta(seconds=59))
    moving.check(source, target, _tables(), NOON + timedelta(seconds=61))


def test_the_database_in_use_is_no_target(tmp_path: Path, opened, srs):
    url = f"sqlite:///{tmp_path}/xdg/siprec-srs/recordings.sqlite"
    assert srs("migrate-to", url) == (1, "", f"srs: {url} is the database that is in use\n")


def test_a_table_that_is_not_known_is_not_lost_in_silence(tmp_path: Path, opened):
    source, target = (opened(f"sqlite:///{tmp_path}/{name}.sqlite") for name in ("one", "two"))
    with writing(source) as session:
        session.connection().exec_driver_sql("CREATE TABLE of_a_later_version (id INTEGER)")
    with pytest.raises(NotMovable, match="nothing is known of table of_a_later_version"):
        moving.check(source, target, _tables(), NOON)
