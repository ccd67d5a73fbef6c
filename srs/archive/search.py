"""Finding recordings among millions: a narrow row beside each, in order of time, and the words it is found by.

`position` rises with the start of the recordings, so that one number orders, pages and, in SQLite, is the row of the
trigram index, which gives what it finds newest first. The rows follow their recordings by themselves (`_follow`).
"""

import operator
import re
import unicodedata
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import UOWTransaction
from sqlmodel import Field, SQLModel, col, select

from srs.archive.database import reading
from srs.archive.subject import number
from srs.archive.tables import Recording, State

_NUMBER = re.compile(r"[+0-9][0-9 .()\-/]{2,}")
_TRIGRAM: Final = 3
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SPREAD: Final = 10
"""Bits below the microsecond in which recordings that began at once differ."""
MOST: Final = 500
"""Recordings on a page."""


class Searchable(SQLModel, table=True):
    """What a recording is found by."""

    __tablename__ = "recording_search"
    __table_args__ = (
        # All that is asked but words: a search that fits hardly any reads this alone.
        sa.Index("ix_recording_search_walk", "position", "duration_s", "complete", "purpose", "state", "held"),
    )

    position: int = Field(
        sa_column=sa.Column(sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False)
    )
    recording_id: str = Field(foreign_key="recording.id", ondelete="CASCADE", unique=True, max_length=64)
    words: str = Field(sa_type=sa.Text)
    """In lower case, without accents, a space before and after each: addresses, numbers, names, tags, note."""
    duration_s: float
    complete: float
    """Share of the packets sent that came, of the worst leg."""
    purpose: str | None = Field(default=None, sa_type=sa.Text)
    state: str = Field(max_length=16)
    held: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """What is wanted; nothing given fits all."""

    text: str = ""
    """Words, each of which stands somewhere in addresses, names, tags or note; one or two characters: a whole word."""
    since: datetime | None = None
    until: datetime | None = None
    min_s: float | None = None
    max_s: float | None = None
    purpose: str | None = None
    tag: str | None = None
    state: str | None = None
    held: bool | None = None
    below: float | None = None
    """Less than this share of the packets of some leg came."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was found, newest first."""

    rows: list[Recording]
    older: int | None
    """Position that the next page is before; None: there is none."""


def search(
    engine: Engine,
    wanted: Search,
    *,
    visible: sa.ColumnElement[bool] | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Page:
    """Find recordings, newest first.

    Args:
        visible: a condition on rows of `recording`, such as who asks may see.
        before: only those before this position (`Page.older`).
        limit: at most `MOST`.

    Raises:
        DatabaseError: it does not answer.
    """
    limit = max(1, min(limit, MOST))
    query = _query(wanted, before, engine.dialect.name).limit(limit + 1)
    if visible is not None:
        query = query.where(sa.exists().where(col(Recording.id) == col(Searchable.recording_id), visible))
    with reading(engine) as session:
        found = session.connection().execute(query).all()
        ids = [row.recording_id for row in found[:limit]]
        rows = {row.id: row for row in session.exec(select(Recording).where(col(Recording.id).in_(ids)))}
    older = found[limit - 1].position if len(found) > limit else None
    return Page([rows[id_] for id_ in ids if id_ in rows], older)


def _query(wanted: Search, before: int | None, dialect: str) -> sa.Select[Any]:
    table = sa.inspect(Searchable).local_table
    query = sa.select(table.c.position, table.c.recording_id)
    order: sa.ColumnElement[int] = table.c.position
    asked = terms(wanted)
    if dialect == "sqlite" and asked:
        index = sa.table("recording_words", sa.column("rowid"), sa.column("recording_words"))
        query = query.select_from(index.join(table, index.c.rowid == table.c.position))
        query = query.where(index.c.recording_words.op("MATCH")(_phrases(asked)))
        order = index.c.rowid
    else:
        query = query.where(*(table.c.words.contains(term, autoescape=True) for term in asked))
    return query.where(*_conditions(wanted, table, order, before)).order_by(order.desc())


def _conditions(
    wanted: Search, table: sa.FromClause, order: sa.ColumnElement[int], before: int | None
) -> list[sa.ColumnElement[bool]]:
    columns = table.c
    asked: list[tuple[object, Callable[[Any, Any], sa.ColumnElement[bool]], sa.ColumnElement[Any]]] = [
        (before, operator.lt, order),
        (wanted.since and _place(wanted.since), operator.ge, order),
        (wanted.until and _place(wanted.until), operator.lt, order),
        (wanted.min_s, operator.ge, columns.duration_s),
        (wanted.max_s, operator.le, columns.duration_s),
        (wanted.purpose, operator.eq, columns.purpose),
        (wanted.state, operator.eq, columns.state),
        (wanted.held, operator.eq, columns.held),
        (wanted.below, operator.lt, columns.complete),
    ]
    return [compare(column, value) for value, compare, column in asked if value is not None]


def terms(wanted: Search) -> list[str]:
    """The parts of the text that all must be found; a number is one, however it is written."""
    text = plain(wanted.text).strip()
    if _NUMBER.fullmatch(text):
        found = [re.sub(r"[ .()\-/]", "", text)]
    else:
        found = [word if len(word) >= _TRIGRAM else f" {word} " for word in text.split()]
    return found + ([f" {_tag(wanted.tag)} "] if wanted.tag else [])


def _phrases(asked: list[str]) -> str:
    """As FTS5 wants them."""
    return " AND ".join('"' + term.replace('"', '""') + '"' for term in asked)


def plain(text: str) -> str:
    """In lower case and without accents, so that `jose` finds José."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(each for each in decomposed if not unicodedata.combining(each)).casefold()


def words(row: Recording) -> str:
    """What a recording is found by."""
    told = [row.caller, row.callee, *(text for leg in row.legs for text in (leg.aor, leg.name))]
    addresses = [form for text in told if text for form in (text, number(text))]
    beside = [row.call_id, row.peer, row.direction, row.note, *map(_tag, row.tags)]
    unique = dict.fromkeys(plain(text) for text in (*addresses, *beside) if text)
    return f" {' '.join(' '.join(unique).split())} "


def _tag(tag: str) -> str:
    return "#" + plain(tag).replace(" ", "_")


def _place(moment: datetime) -> int:
    elapsed = moment - _EPOCH
    return ((elapsed.days * 86400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds) << _SPREAD


# Keeping up


@event.listens_for(OrmSession, "after_flush")
def _follow(session: OrmSession, _: UOWTransaction) -> None:
    for row in [*session.new, *session.dirty]:
        if isinstance(row, Recording):
            note(session.connection(), row)


def note(connection: Connection, row: Recording) -> None:
    """Make a recording be found by what it now is."""
    told = values(row)
    changed = connection.execute(sa.update(Searchable).where(col(Searchable.recording_id) == row.id).values(told))
    if not changed.rowcount:
        place = {"recording_id": row.id, "position": free(connection, row)}
        connection.execute(sa.insert(Searchable).values(place | told))


def values(row: Recording) -> dict[str, object]:
    return {
        "words": words(row),
        "duration_s": row.duration_s,
        "complete": complete(row),
        "purpose": row.purpose,
        "state": str(row.state),
        "held": row.held,
    }


def free(connection: Connection, row: Recording) -> int:
    """A position of its own."""
    position = _place(row.started_at) | (zlib.crc32(row.id.encode()) & ((1 << _SPREAD) - 1))
    taken = sa.select(col(Searchable.position)).where(col(Searchable.position) == sa.bindparam("at"))
    while connection.execute(taken, {"at": position}).first():
        position += 1
    return position


def complete(row: Recording) -> float:
    """Share of the packets sent that came, of the worst leg; 1 where none were sent."""
    if row.state == State.FAILED:
        return 0.0
    return min((leg.packets / (leg.packets + leg.lost) for leg in row.legs if leg.packets + leg.lost), default=1.0)
