"""How long people wait for a page of what they search, among many recordings."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, inspect, text

from benchmarks.databases import databases
from srs.archive import searchable
from srs.archive.database import connect, writing
from srs.archive.search import Search, search
from srs.archive.searchable import Searchable
from srs.archive.tables import Leg, Recording

BATCH = 5000
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
GOAL_MS = 100


@dataclass(frozen=True, slots=True)
class Searched:
    """Searches of one kind."""

    database: str
    recordings: int
    what: str
    times: int
    p50_ms: float
    p99_ms: float
    longest_ms: float


def measure_search(directory: Path, recordings: int, times: int) -> Iterator[Searched]:
    """Search among so many recordings of a year, so many times in each way, on each database."""
    folder = directory / "search"
    folder.mkdir()
    with databases(folder) as urls:
        for kind, url in urls.items():
            engine = connect(url)
            _fill(engine, recordings)
            for what, wanted in _ways(recordings).items():
                waited = np.array([_wait(engine, *wanted()) for _ in range(times)]) * 1000
                p50, p99, longest = np.percentile(waited, [50, 99, 100]).tolist()
                yield Searched(kind, recordings, what, times, p50, p99, longest)
            engine.dispose()


def _wait(engine: Engine, wanted: Search, before: int | None = None) -> float:
    begun = time.perf_counter()
    search(engine, wanted, before=before)
    return time.perf_counter() - begun


def _ways(recordings: int) -> dict[str, Callable[[], tuple[Any, ...]]]:
    """What people ask for, each time something else of the kind."""
    chance = random.Random(11)

    def month() -> dict[str, datetime]:
        since = FIRST + timedelta(seconds=chance.uniform(0, YEAR_S * 11 / 12))
        return {"since": since, "until": since + timedelta(days=30)}

    def old() -> int:
        return searchable.place(FIRST + timedelta(seconds=chance.uniform(0, YEAR_S)))

    return {
        "the newest": lambda: (Search(),),
        "a page further back": lambda: (Search(), old()),
        "a number": lambda: (Search(_number(chance.randrange(recordings))),),
        "an extension": lambda: (Search(str(chance.randrange(200, 400))),),
        "a name": lambda: (Search(chance.choice(FAMILY)),),
        "a name and a purpose in a month": lambda: (
            Search(chance.choice(GIVEN), purpose=chance.choice(PURPOSES[:3]), **month()),
        ),
        "long calls with losses": lambda: (Search(min_s=540.0, below=0.95, **month()),),
        "what there is not": lambda: (Search(f"nobody{chance.randrange(1000)}"),),
    }


# Many recordings


def _fill(engine: Engine, count: int) -> None:
    """Recordings of a year with two legs each, in bulk; indexes of words as the recorder keeps them."""
    index = "ix_recording_search_words"
    if engine.dialect.name == "postgresql":
        _run(engine, f"DROP INDEX {index}")
    tables = [inspect(model).local_table for model in (Recording, Leg, Searchable)]
    for first in range(0, count, BATCH):
        calls = [_call(number, count) for number in range(first, min(first + BATCH, count))]
        with writing(engine) as session:
            for table, rows in zip(tables, zip(*map(_rows, calls), strict=True), strict=True):
                session.connection().execute(table.insert(), [row for each in rows for row in each])
    if engine.dialect.name == "postgresql":
        _run(engine, f"CREATE INDEX {index} ON recording_search USING gin (words gin_trgm_ops)")
    _run(engine, "ANALYZE")


def _run(engine: Engine, statement: str) -> None:
    with writing(engine) as session:
        session.execute(text(statement))


def _number(number: int) -> str:
    """Of an outside caller; each calls ten times or so."""
    return f"+31{200_000_000 + number // 10 * 7919 % 99_999_989:09}"


def _call(number: int, count: int) -> Recording:
    chance = random.Random(number)
    outside, inside = f"sip:{_number(number)}@carrier.example", f"sip:{chance.randrange(200, 400)}@pbx.example"
    name = f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}"
    lost = chance.randrange(200) if chance.random() < 0.02 else 0
    seconds = min(chance.expovariate(1 / 180), 3600.0)
    started = FIRST + timedelta(seconds=YEAR_S * number / count)
    ended, packets = started + timedelta(seconds=seconds), max(1, round(seconds * 50) - lost)
    heard = {"codec": "PCMU", "packets": packets, "seconds": seconds}
    return Recording(
        id=f"{number:08}{chance.getrandbits(96):024x}",
        call_id=f"{chance.getrandbits(64):016x}@pbx.example",
        state="ready",
        started_at=started,
        ended_at=ended,
        created_at=ended,
        duration_s=seconds,
        caller=outside,
        callee=inside,
        direction="inbound",
        peer="pbx",
        purpose=chance.choice(PURPOSES),
        legs=[Leg(channel=0, aor=outside, lost=lost, **heard), Leg(channel=1, aor=inside, name=name, **heard)],
    )


def _rows(call: Recording) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Of the tables of recordings, legs and searches."""
    legs = [{**_values(leg), "recording_id": call.id} for leg in call.legs]
    place = searchable.place(call.started_at) | (int(call.id[:8]) & 1023)
    return [_values(call)], legs, [{"recording_id": call.id, "position": place, **searchable.values(call)}]


def _values(row: Recording | Leg) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in inspect(type(row)).columns}


def show(searched: Sequence[Searched]) -> None:
    """Print how long a page takes."""
    if searched:
        print(f"\n{'a page of 50, searched for':<34}{'database':>12}{'recordings':>12}", end="")
        print(f"{'times':>7}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    for row in searched:
        late = f"  above {GOAL_MS} ms" if row.p99_ms > GOAL_MS else ""
        print(
            f"{row.what:<34}{row.database:>12}{row.recordings:>12}{row.times:>7}"
            f"{row.p50_ms:>9.1f}{row.p99_ms:>9.1f}{row.longest_ms:>9.1f}{late}"
        )
