"""Finding recordings among millions, newest first, a page at a time."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlmodel import col, select

from srs.archive.database import reading
from srs.archive.searchable import POOR, POOR_INDEX, Searchable, extension_word, group_word, place, plain, tag_word
from srs.archive.tables import Recording

_NUMBER = re.compile(r"[+0-9][0-9 .()\-/]{2,}")
_TRIGRAM: Final = 3
MOST: Final = 500
"""Recordings on a page."""


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
    mos_below: float | None = None
    """The estimated MOS of some leg is lower."""
    notice: str | None = None
    """What is known of the parties' having been told (`Searchable.notice`)."""
    extension: str | None = None
    """Whole number of a party."""
    group: str | None = None
    """Name of a `[[group]]` that a party is of."""


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
    if wanted.mos_below is not None and wanted.mos_below <= POOR:
        query = query.where(table.c.mos < sa.literal_column(str(POOR)))  # as the index says it, or it is not used
        query = query if asked else query.with_hint(table, f"INDEXED BY {POOR_INDEX}", "sqlite")
    return query.where(*_conditions(wanted, table, order, before)).order_by(order.desc())


def _conditions(
    wanted: Search, table: sa.FromClause, order: sa.ColumnElement[int], before: int | None
) -> list[sa.ColumnElement[bool]]:
    columns = table.c
    asked: list[tuple[object, Callable[[Any, Any], sa.ColumnElement[bool]], sa.ColumnElement[Any]]] = [
        (before, operator.lt, order),
        (wanted.since and place(wanted.since), operator.ge, order),
        (wanted.until and place(wanted.until), operator.lt, order),
        (wanted.min_s, operator.ge, columns.duration_s),
        (wanted.max_s, operator.le, columns.duration_s),
        (wanted.purpose, operator.eq, columns.purpose),
        (wanted.state, operator.eq, columns.state),
        (wanted.held, operator.eq, columns.held),
        (wanted.below, operator.lt, columns.complete),
        (wanted.mos_below, operator.lt, columns.mos),
        (wanted.notice, operator.eq, columns.notice),
    ]
    return [compare(column, value) for value, compare, column in asked if value is not None]


def terms(wanted: Search) -> list[str]:
    """The parts of the text that all must be found; a number is one, however it is written."""
    text = plain(wanted.text).strip()
    if _NUMBER.fullmatch(text):
        found = [re.sub(r"[ .()\-/]", "", text)]
    else:
        found = [word if len(word) >= _TRIGRAM else f" {word} " for word in text.split()]
    whole = (extension_word, wanted.extension), (group_word, wanted.group), (tag_word, wanted.tag)
    return found + [f" {word(asked)} " for word, asked in whole if asked]


def _phrases(asked: list[str]) -> str:
    """As FTS5 wants them."""
    return " AND ".join('"' + term.replace('"', '""') + '"' for term in asked)
