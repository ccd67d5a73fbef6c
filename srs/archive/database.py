"""The database: SQLite beside the captures, or any that SQLAlchemy has a URL for.

Opening it brings its tables up to date. Every process may do so at any time: the one that comes first does the work
in one transaction, the others wait for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

import srs.archive.recorded
import srs.archive.searchable  # noqa: F401, the rows of both follow what any process writes
from srs.archive.errors import DatabaseError, NewerDatabase

REVISION = "0021"
"""Newest in migrations/versions. Revisions are numbers, so that a later one is known for what it is."""

_BUSY_MS = 10_000
_ADVISORY_LOCK = 0x73727321  # any number, the same in every process


def connect(url: str) -> Engine:
    """Open the database, make or migrate its tables where needed.

    Raises:
        DatabaseError: it cannot be reached, or the URL names none.
        NewerDatabase: a later version of this program made it.
    """
    try:
        engine = create_engine(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        # Only the first line, and not the URL itself: there may be a password in it.
        raise DatabaseError(f"[database] url: {str(error).partition(chr(10))[0]}") from error
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    with _errors(engine):
        _migrate(engine)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that sees one state of the database."""
    with _errors(engine), Session(engine, expire_on_commit=False) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session that is the only writer, committed at the end, undone by an exception."""
    with (
        _errors(engine),
        engine.connect().execution_options(begin="IMMEDIATE") as connection,
        Session(connection, expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


@contextmanager
def _errors(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise DatabaseError(f"database {engine.url.render_as_string()}: {error.orig}") from error


# SQLite


def _prepare_sqlite(engine: Engine) -> None:
    if path := make_url(engine.url).database:
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise DatabaseError(f"{error.filename}: {error.strerror}") from error
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)


def _configure_sqlite(connection: Any, entry: ConnectionPoolEntry) -> None:  # noqa: ANN401, ARG001
    for pragma in (f"busy_timeout = {_BUSY_MS}", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # Said here, because the driver's own BEGIN comes late and leaves CREATE TABLE outside of the transaction.
    # A reader that turned writer could find another writer's commit in between; so writers say so at once.
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")


# Migrations


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        if _check(_revision(connection), engine):
            return
    if engine.dialect.name == "sqlite":
        _use_wal(engine)
    with (
        engine.connect().execution_options(begin="IMMEDIATE") as connection,
        _tables_may_go(connection),
        connection.begin(),
    ):
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        if not _check(_revision(connection), engine):
            upgrade(connection)


@contextmanager
def _tables_may_go(connection: Connection) -> Iterator[None]:
    """Have SQLite not delete what refers to the rows of a table that a migration copies and drops."""
    if connection.dialect.name != "sqlite":
        yield
        return
    cursor = connection.connection.cursor()  # SQLite obeys outside of transactions only
    cursor.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()


def _use_wal(engine: Engine) -> None:
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        raw.close()


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _check(revision: str | None, engine: Engine) -> bool:
    """Whether the tables are up to date.

    Raises:
        NewerDatabase: they are ahead of this program.
    """
    if revision is not None and revision > REVISION:
        raise NewerDatabase(
            f"database {engine.url.render_as_string()} has revision {revision}, this program knows {REVISION}: "
            "it was used by a later version of siprec-srs, install that one"
        )
    return revision == REVISION


def upgrade(connection: Connection) -> None:
    """Bring the tables up to date, within the connection's transaction."""
    from alembic import command  # here, not above: it takes 0.1 s that only a migration needs
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
