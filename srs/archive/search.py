"""Finding recordings among millions, newest first, a page at a time."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from srs.archive.database import reading
from srs.archive.searchable import Searchable, extension_word, group_word, place, plain, tag_word
from srs.archive.tables import Recording

_NUMBER = re.compile(r"[+0-9][0-9 .()\-/]{2,}")
_TRIGRAM: Final = 3
_TABLE: Final = sa.inspect(Searchable).local_table
FEW: Final = 5000
"""Recordings that a fact fits, and that are looked at one by one for all else."""
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
    with reading(engine) as session:
        connection = session.connection()
        query = _query(wanted, before, engine.dialect.name, _few(connection, wanted)).limit(limit + 1)
        if visible is not None:
            query = query.where(sa.exists().where(col(Recording.id) == col(Searchable.recording_id), visible))
        found = list(connection.scalars(query))
        rows = _rows(session, found[:limit])
    return Page(rows, found[limit - 1] if len(found) > limit else None)


def _rows(session: Session, positions: list[int]) -> list[Recording]:
    """The recordings at some positions, newest first."""
    position_ = col(Searchable.position)
    of = select(Recording, position_).join(Searchable, col(Searchable.recording_id) == col(Recording.id))
    found = {position: row for row, position in session.exec(of.where(position_.in_(positions)))}
    return [found[position] for position in positions if position in found]


def _few(connection: sa.Connection, wanted: Search) -> sa.Select[Any] | None:
    """The positions of those that the rarest of the facts asked for fits; None: each fits more than `FEW`.

    Then each is met within as many rows as are quickly walked past.
    """
    counted = []
    for fact in _facts(wanted):
        fitting = sa.select(_TABLE.c.position).where(fact)
        some = fitting.limit(FEW + 1).subquery()
        counted.append((connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one(), fitting))
    count, rarest = min(counted, key=operator.itemgetter(0), default=(FEW + 1, None))
    return rarest if count <= FEW else None


def _query(wanted: Search, before: int | None, dialect: str, few: sa.Select[Any] | None = None) -> sa.Select[Any]:
    """Positions, newest first: of facts an index has all that is looked at (ix_recording_search_walk)."""
    query = sa.select(_TABLE.c.position)
    order: sa.ColumnElement[int] = _TABLE.c.position
    asked, facts = terms(wanted), _facts(wanted)
    if few is None and asked and dialect == "sqlite":
        index = sa.table("recording_words", sa.column("rowid"), sa.column("recording_words"))
        query = query.select_from(index.join(_TABLE, index.c.rowid == _TABLE.c.position))
        query = query.where(index.c.recording_words.op("MATCH")(_phrases(asked)))
        order = index.c.rowid
    else:
        query = query.where(*(_TABLE.c.words.contains(term, autoescape=True) for term in asked))
    if few is not None and dialect == "postgresql":  # an array, so that these rows are read and no others
        query = query.where(_TABLE.c.position == sa.func.any(sa.func.array(few.scalar_subquery())))
    elif few is not None:
        query = query.where(_TABLE.c.position.in_(few))
        facts = [sa.func.coalesce(fact, sa.false()) for fact in facts]  # as what no index is chosen for
    return query.where(*facts, *_moments(wanted, order, before)).order_by(order.desc())


def _facts(wanted: Search) -> list[sa.ColumnElement[bool]]:
    """A condition for each column of facts that is asked for; there is an index of each."""
    columns = _TABLE.c
    asked: dict[sa.ColumnElement[Any], list[tuple[Callable[[Any, Any], sa.ColumnElement[bool]], object]]] = {
        columns.duration_s: [(operator.ge, wanted.min_s), (operator.le, wanted.max_s)],
        columns.purpose: [(operator.eq, wanted.purpose)],
        columns.state: [(operator.eq, wanted.state)],
        columns.held: [(operator.eq, wanted.held)],
        columns.complete: [(operator.lt, wanted.below)],
        columns.mos: [(operator.lt, wanted.mos_below)],
        columns.notice: [(operator.eq, wanted.notice)],
    }
    given = [[compare(column, value) for compare, value in each if value is not None] for column, each in asked.items()]
    return [sa.and_(*each) for each in given if each]


def _moments(wanted: Search, order: sa.ColumnElement[int], before: int | None) -> list[sa.ColumnElement[bool]]:
    """Conditions on when they began."""
    bounds = [
        (operator.lt, before),
        (operator.ge, wanted.since and place(wanted.since)),
        (operator.lt, wanted.until and place(wanted.until)),
    ]
    return [compare(order, value) for compare, value in bounds if value is not None]


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
