"""Many recordings of a year in a database, to search among them."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine, inspect, text

from srs.archive import searchable
from srs.archive.database import writing
from srs.archive.searchable import Searchable
from srs.archive.tables import Leg, Notice, Recording

BATCH = 5000
COPIES = "0134567890"
"""Of each recording that the recorder's own code describes, by what makes its numbers other ones: +312… is +310… ."""
FIRST = datetime(2025, 11, 1, tzinfo=UTC)
YEAR_S = 365 * 86_400
GIVEN = (
    "Anna",
    "Bram",
    "Chloé",
    "Daan",
    "Emma",
    "Finn",
    "Greta",
    "Hugo",
    "Iris",
    "Jan",
    "Kees",
    "Lotte",
    "Mila",
    "Noud",
)
FAMILY = ("de Vries", "Jansen", "Bakker", "Visser", "Smit", "Meijer", "Müller", "Dekker", "Brouwer", "Dijkstra", "Vos")
PURPOSES = ("complaints", "sales", "training", None)
GROUPS = ("front office", "back office", "sales", "night")
TAGS = ("VIP", "callback", "refund")
MODELS = (Recording, Leg, Notice, Searchable)
Row = dict[str, Any]


def fill(engine: Engine, count: int) -> None:
    """Recordings of a year with two legs each: a tenth as the recorder writes them, the others copied from these.

    Indexes of words are made at the end, as a recorder's are once it had the time to merge them.
    """
    own = count // len(COPIES)
    with _without_words(engine):
        for first in range(0, own, BATCH):
            _write(engine, [_call(number, own) for number in range(first, min(first + BATCH, own))])
        for nth, digit in enumerate(COPIES[1:], start=1):
            _copy(engine, nth, digit, timedelta(seconds=nth * YEAR_S / count))
    with writing(engine) as session:
        session.execute(text("ANALYZE"))


def number(at: int) -> str:
    """Of an outside caller; each calls ten times or so."""
    return f"+312{at // 10 * 7919 % 99_999_989:08}"


@contextmanager
def _without_words(engine: Engine) -> Iterator[None]:
    with writing(engine) as session:
        if engine.dialect.name == "sqlite":
            session.execute(text("PRAGMA cache_size = -1000000"))
            triggers = session.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
            before = [f"DROP TRIGGER {name}" for name, _ in triggers]
            after = ["INSERT INTO recording_words(recording_words) VALUES ('rebuild')", *(sql for _, sql in triggers)]
        else:
            before = ["DROP INDEX ix_recording_search_words"]
            after = ["CREATE INDEX ix_recording_search_words ON recording_search USING gin (words gin_trgm_ops)"]
        for statement in before:
            session.execute(text(statement))
    yield
    with writing(engine) as session:
        for statement in after:
            session.connection().exec_driver_sql(statement)


def _write(engine: Engine, calls: list[Recording]) -> None:
    with writing(engine) as session:
        for model, rows in zip(MODELS, zip(*map(_rows, calls), strict=True), strict=True):
            session.connection().execute(inspect(model).local_table.insert(), [row for each in rows for row in each])


def _copy(engine: Engine, nth: int, digit: str, later: timedelta) -> None:
    """Once more what the recorder's code wrote, with other ids and numbers, a little later."""
    step = searchable.place(FIRST + later) - searchable.place(FIRST)
    changed: dict[str, Callable[[sa.Column[Any]], sa.ColumnElement[Any]]] = {
        **dict.fromkeys(("id", "recording_id"), lambda column: column.concat(str(nth))),
        **dict.fromkeys(
            ("caller", "callee", "aor", "words"), lambda column: sa.func.replace(column, "+312", f"+31{digit}")
        ),
        "position": lambda column: column + step,
    }
    with writing(engine) as session:
        for model in MODELS:
            table = inspect(model).local_table
            columns = [changed[column.key](column) if column.key in changed else column for column in table.c]
            first = table.c["id" if model is Recording else "recording_id"]
            rows = sa.select(*columns).where(sa.func.length(first) == 32)
            session.connection().execute(table.insert().from_select(list(table.c.keys()), rows))


def _call(at: int, count: int) -> Recording:
    chance = random.Random(at)
    outside, inside = f"sip:{number(at)}@carrier.example", f"sip:{chance.randrange(200, 400)}@pbx.example"
    seconds = min(chance.expovariate(1 / 180), 3600.0)
    started = FIRST + timedelta(seconds=YEAR_S * at / count)
    share = chance.choice((0.01, 0.05, 0.2)) if chance.random() < 0.02 else 0.0
    told = chance.choices(("heard", "outside", "missing", "unchecked"), (80, 15, 0.2, 5))[0]
    return Recording(
        id=f"{at:08}{chance.getrandbits(96):024x}",
        call_id=f"{chance.getrandbits(64):016x}@pbx.example",
        state="ready",
        started_at=started,
        ended_at=started + timedelta(seconds=seconds),
        created_at=started + timedelta(seconds=seconds),
        duration_s=seconds,
        caller=outside,
        callee=inside,
        direction="inbound",
        peer="pbx",
        purpose=chance.choice(PURPOSES),
        groups=[chance.choice(GROUPS)],
        tags=[chance.choice(TAGS)] if chance.random() < 0.02 else [],
        facts={"completeness": 1 - share, "clients": ["pbx"], "pauses": []},
        legs=[
            _leg(0, outside, None, seconds, share),
            _leg(1, inside, f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}", seconds, 0.0),
        ],
        notices=[Notice(place=0, party=outside, state=told, purpose="training")],
    )


def _leg(channel: int, aor: str, name: str | None, seconds: float, lost: float) -> Leg:
    packets = max(1, round(seconds * 50))
    mos = round(4.41 - 12 * lost, 2)
    quality = {"loss": lost, "bursts": 0, "jitter_ms": 0.4, "r": 93.2, "mos": mos, "level_dbov": -24.0, "silence": 0.4}
    return Leg(
        channel=channel,
        aor=aor,
        name=name,
        codec="PCMU",
        packets=packets - round(packets * lost),
        lost=round(packets * lost),
        seconds=seconds,
        facts={"quality": quality, "gaps": [[1.0, 0.02]] if lost else []},
    )


def _rows(call: Recording) -> tuple[list[Row], list[Row], list[Row], list[Row]]:
    """Of the tables of recordings, legs, notices and searches."""
    place = searchable.place(call.started_at) | (int(call.id[:8]) & 1023)
    found = {"recording_id": call.id, "position": place, **searchable.values(call)}
    beside = ([{**_values(row), "recording_id": call.id} for row in rows] for rows in (call.legs, call.notices))
    legs, notices = beside
    return [_values(call)], legs, notices, [found]


def _values(row: Recording | Leg | Notice) -> Row:
    return {column.key: getattr(row, column.key) for column in inspect(type(row)).columns}
