"""One database copied into another, whatever they run on: what grew in SQLite goes on in PostgreSQL.

Tables are copied one after another, rows in the order of their keys, so that what stands in the target after an
interruption is the beginning of what is to stand there. It is compared with the source, and the rest is added; in the
end every row is compared once more.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, String, Table, TypeDecorator, func, inspect, select, text
from sqlmodel import Session

from srs.archive import nodes
from srs.archive.database import reading, writing
from srs.archive.errors import DatabaseError, NotMovable

BATCH = 1000
_OF_THE_DATABASE = ("alembic_version", "recording_words")
"""Tables that each database has of its own; the second one's name begins so, and follows `recording_search`."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is."""

    table: str
    rows: int
    """That were copied or compared since the last step."""


def check(source: Engine, target: Engine, tables: Sequence[Table], now: datetime) -> None:
    """See that nothing stands in the way.

    Raises:
        NotMovable: the two are one, a recorder writes to one of them, or the source has a table that is not known.
    """
    if source.url == target.url:
        raise NotMovable(f"{target.url.render_as_string()} is the database that is in use")
    for engine in (source, target):
        _check_nobody_writes(engine, now)
    known = {table.name for table in tables}
    strange = [name for name in inspect(source).get_table_names() if name not in known]
    if unknown := [name for name in strange if not name.startswith(_OF_THE_DATABASE)]:
        raise NotMovable(f"{source.url.render_as_string()}: nothing is known of table {', '.join(unknown)}")


def _check_nobody_writes(engine: Engine, now: datetime) -> None:
    for node in nodes.nodes(engine):
        if nodes.is_living(node, now):
            raise NotMovable(
                f"recorder {node.id} on {node.host} uses {engine.url.render_as_string()}, seen "
                f"{node.seen_at:%H:%M:%S} UTC: stop it first; one that died counts as stopped after a minute"
            )


def count(engine: Engine, tables: Sequence[Table]) -> int:
    """The rows of all tables."""
    with reading(engine) as session:
        counts: list[int] = [session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]
    return sum(counts)


def copy(source: Engine, target: Engine, tables: Sequence[Table]) -> Iterator[Step]:
    """Add what the target lacks. Tables that others refer to come first.

    Raises:
        NotMovable: the target has other data.
        DatabaseError: one of them does not answer, or does not take a row; it can be gone on with.
    """
    for table in tables:
        for batch, missing in _compared(source, target, table):
            if missing:
                _insert(target, table, missing)
            yield Step(table.name, batch)
        with writing(target) as session:
            _count_on(session, table)


def compare(source: Engine, target: Engine, tables: Sequence[Table]) -> Iterator[Step]:
    """Look at every row of both.

    Raises:
        NotMovable: they are not the same.
    """
    for table in tables:
        for batch, missing in _compared(source, target, table):
            if missing:
                raise NotMovable(f"table {table.name}: {_name(table, missing[0])} is missing in the target")
            yield Step(table.name, batch)


def _compared(source: Engine, target: Engine, table: Table) -> Iterator[tuple[int, list[Row[Any]]]]:
    """The source by batches: how many rows, and those after the end of the target."""
    with closing(_rows(source, table)) as wanted, closing(_rows(target, table)) as there:
        others = (row for batch in there for row in batch)
        for batch in wanted:
            missing = []
            for row in batch:
                other = next(others, None)
                if other is None:
                    missing.append(row)
                elif row != other:
                    raise NotMovable(_unlike(target, table, other))
            yield len(batch), missing
        if (more := next(others, None)) is not None:
            raise NotMovable(_unlike(target, table, more))


def _unlike(target: Engine, table: Table, row: Row[Any]) -> str:
    return (
        f"{target.url.render_as_string()} has other data: table {table.name}, {_name(table, row)} is not as in the "
        "database in use; copy into an empty one"
    )


def _name(table: Table, row: Row[Any]) -> str:
    """A row, by its key."""
    return ", ".join(f"{column.name} {row._mapping[column]!r}" for column in table.primary_key)  # noqa: SLF001 - public


def _rows(engine: Engine, table: Table) -> Generator[Sequence[Row[Any]], None, None]:
    """All rows in the order of their keys, which is the same in every database, by batches."""
    query = select(table).order_by(*(_ordered(column, engine) for column in table.primary_key))
    with reading(engine) as session, session.execute(query, execution_options={"yield_per": BATCH}) as found:
        yield from found.partitions()


def _ordered(column: ColumnElement[Any], engine: Engine) -> ColumnElement[Any]:
    """Text by its octets, as SQLite has it, and not by a language."""
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    is_text = engine.dialect.name == "postgresql" and isinstance(kind, String)
    return column.collate("C") if is_text else column


def _insert(target: Engine, table: Table, rows: Sequence[Row[Any]]) -> None:
    try:
        with writing(target) as session:
            session.execute(table.insert(), [dict(row._mapping) for row in rows])  # noqa: SLF001 - public
    except DatabaseError as error:
        raise DatabaseError(f"table {table.name}, from {_name(table, rows[0])} on: {error}") from error


def _count_on(session: Session, table: Table) -> None:
    """Have PostgreSQL number new rows after those that were copied."""
    column = table.autoincrement_column
    if column is None or session.get_bind().dialect.name != "postgresql":
        return
    last = session.execute(select(func.max(column))).scalar_one()
    if last is not None:
        sequence = {"table": table.name, "column": column.name, "last": last}
        session.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)"), sequence)
