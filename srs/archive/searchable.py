"""What recordings are found by: a narrow row beside each, in order of time, and its words.

`position` rises with the start of the recordings, so that one number orders, pages and, in SQLite, is the row of the
trigram index, which gives what it finds newest first. The rows follow their recordings by themselves (`_follow`) in
every process that opens the database.
"""

import unicodedata
import zlib
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import UOWTransaction
from sqlmodel import Field, SQLModel

from srs.archive.subject import number
from srs.archive.tables import NoticeState, Recording, State

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(2250, 1, 1, tzinfo=UTC)
"""What is later has no position of its own that fits 63 bits."""
_SPREAD: Final = 10
"""Bits below the microsecond in which recordings that began at once differ."""


_WALKED: Final = ("duration_s", "complete", "purpose", "state", "held", "mos", "notice")
_CHANGES: Final = ("words", *_WALKED)


class Searchable(SQLModel, table=True):
    """What a recording is found by."""

    __tablename__ = "recording_search"
    __table_args__ = (
        # All that is asked but words: what fits many is met on the way, newest first.
        sa.Index("ix_recording_search_walk", "position", *_WALKED),
        # What fits few is known by an index of its own.
        *(sa.Index(f"ix_recording_search_{name}", name, "position") for name in _WALKED),
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
    mos: float | None = None
    """Estimated, of the worst leg; None: not known."""
    notice: str | None = Field(default=None, max_length=16)
    """What is known of the parties' having been told (`NoticeState`), of the one of whom least is known."""


def plain(text: str) -> str:
    """In lower case and without accents, so that `jose` finds José."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(each for each in decomposed if not unicodedata.combining(each)).casefold()


def words(row: Recording) -> str:
    """What a recording is found by."""
    told = [row.caller, row.callee, *(text for leg in row.legs for text in (leg.aor, leg.name))]
    addresses = [form for text in told if text for form in (text, number(text))]
    marked = [*map(extension_word, filter(None, told)), *map(tag_word, row.tags), *map(group_word, row.groups or ())]
    beside = [row.call_id, row.peer, row.direction, row.note, *marked]
    unique = dict.fromkeys(plain(text) for text in (*addresses, *beside) if text)
    return f" {' '.join(' '.join(unique).split())} "


def tag_word(tag: str) -> str:
    """What a tag is found by."""
    return "#" + plain(tag).replace(" ", "_")


def group_word(group: str) -> str:
    """What a group is found by."""
    return "~" + plain(group).replace(" ", "_")


def extension_word(address: str) -> str:
    """What a whole number is found by."""
    return "&" + plain(number(address)).replace(" ", "_")


def place(moment: datetime) -> int:
    """The first position of those that began then."""
    elapsed = min(max(moment, _EPOCH), _END) - _EPOCH
    return ((elapsed.days * 86400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds) << _SPREAD


# Keeping up


@event.listens_for(OrmSession, "after_flush")
def _follow(session: OrmSession, _: UOWTransaction) -> None:
    for row in [*session.new, *session.dirty]:
        if isinstance(row, Recording):
            note(session.connection(), row, is_new=row in session.new)


_TABLE: Final = SQLModel.metadata.tables[str(Searchable.__tablename__)]
_UPDATE: Final = (
    sa.update(_TABLE)
    .where(_TABLE.c.recording_id == sa.bindparam("of"))
    .values({name: sa.bindparam(name) for name in _CHANGES})
)
_INSERT: Final = sa.insert(_TABLE)
_TAKEN: Final = sa.select(_TABLE.c.position).where(_TABLE.c.position == sa.bindparam("at"))
"""Made once: to build and to recognise them takes longer than to have them done."""


def note(connection: Connection, row: Recording, *, is_new: bool = False) -> None:
    """Make a recording be found by what it now is."""
    told = values(row)
    if is_new or not connection.execute(_UPDATE, told | {"of": row.id}).rowcount:
        connection.execute(_INSERT, told | {"recording_id": row.id, "position": free(connection, row)})


def values(row: Recording) -> dict[str, object]:
    return {
        "words": words(row),
        "duration_s": row.duration_s,
        "complete": complete(row),
        "purpose": row.purpose,
        "state": str(row.state),
        "held": row.held,
        "mos": mos(row),
        "notice": notice(row),
    }


def free(connection: Connection, row: Recording) -> int:
    """A position of its own."""
    position = place(row.started_at) | (zlib.crc32(row.id.encode()) & ((1 << _SPREAD) - 1))
    while connection.execute(_TAKEN, {"at": position}).first():
        position += 1
    return position


def complete(row: Recording) -> float:
    """Share of the packets sent that came, of the worst leg; 1 where none were sent."""
    if row.state == State.FAILED:
        return 0.0
    return min((leg.packets / (leg.packets + leg.lost) for leg in row.legs if leg.packets + leg.lost), default=1.0)


def mos(row: Recording) -> float | None:
    """Estimated, of the worst leg; None: of none is it known."""
    told = (leg.facts.get("quality", {}).get("mos") for leg in row.legs)
    return min((each for each in told if each is not None), default=None)


def notice(row: Recording) -> str | None:
    """What is known of the parties' having been told, of the one of whom least is known; None: of none anything."""
    states = {each.state for each in row.notices}
    order = (NoticeState.MISSING, NoticeState.UNCHECKED, NoticeState.HEARD, NoticeState.OUTSIDE)
    return next((state.value for state in order if state in states), None)
