"""How long people wait for a page of what they search, among many recordings."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, text

from benchmarks.crowd import FAMILY, FIRST, GIVEN, GROUPS, PURPOSES, TAGS, YEAR_S, fill, number
from benchmarks.databases import databases
from srs.archive import searchable
from srs.archive.database import connect
from srs.archive.search import Search, search

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
    cpu_p50_ms: float
    """Of this process and the database server's."""
    cpu_p99_ms: float


def measure_search(directory: Path, recordings: int, times: int) -> Iterator[Searched]:
    """Search among so many recordings of a year, so many times in each way, on each database."""
    folder = directory / "search"
    folder.mkdir()
    with databases(folder) as urls:
        for kind, url in urls.items():
            engine = connect(url)
            fill(engine, recordings)
            yield from ask(engine, kind, recordings, times)
            engine.dispose()


def ask(engine: Engine, kind: str, recordings: int, times: int) -> Iterator[Searched]:
    """Search a database that is filled."""
    busy = _busy(engine)
    for what, wanted in _ways(recordings).items():
        taken = np.array([_take(engine, busy, *wanted()) for _ in range(times)]) * 1000
        (p50, p99, longest), cpu = np.percentile(taken[:, 0], [50, 99, 100]), np.percentile(taken[:, 1], [50, 99])
        yield Searched(kind, recordings, what, times, *map(float, (p50, p99, longest, *cpu)))


def _take(engine: Engine, busy: Callable[[], float], wanted: Search, before: int | None = None) -> tuple[float, float]:
    """Seconds that a search takes, and seconds of CPU."""
    begun, worked = time.perf_counter(), busy()
    search(engine, wanted, before=before)
    return time.perf_counter() - begun, busy() - worked


def _busy(engine: Engine) -> Callable[[], float]:
    """CPU time of this process and of the database server's that works for it; seconds."""
    if engine.dialect.name == "sqlite":
        return time.process_time
    with engine.connect() as connection:
        server = Path(f"/proc/{connection.scalar(text('SELECT pg_backend_pid()'))}/schedstat")
    return lambda: time.process_time() + int(server.read_text().split()[0]) / 1e9


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
        "a number": lambda: (Search(number(chance.randrange(recordings // 10))),),
        "an extension": lambda: (Search(str(chance.randrange(200, 400))),),
        "a whole extension": lambda: (Search(extension=str(chance.randrange(200, 400))),),
        "a group": lambda: (Search(group=chance.choice(GROUPS)),),
        "a tag in a month": lambda: (Search(tag=chance.choice(TAGS), **month()),),
        "a name": lambda: (Search(chance.choice(FAMILY)),),
        "a name and a purpose in a month": lambda: (
            Search(chance.choice(GIVEN), purpose=chance.choice(PURPOSES[:3]), **month()),
        ),
        "long calls with losses": lambda: (Search(min_s=540.0, below=0.95, **month()),),
        "long calls of a purpose": lambda: (Search(min_s=540.0, purpose=chance.choice(PURPOSES[:3]), **month()),),
        "poor quality (MOS)": lambda: (Search(mos_below=chance.uniform(2.5, 4.0)),),
        "a name, poor quality": lambda: (Search(chance.choice(FAMILY), mos_below=chance.uniform(2.5, 4.0)),),
        "without notice": lambda: (Search(notice="missing"),),
        "a name, without notice": lambda: (Search(chance.choice(FAMILY), notice="missing"),),
        "what there is not": lambda: (Search(f"nobody{chance.randrange(1000)}"),),
    }


def show(searched: Sequence[Searched]) -> None:
    """Print how long a page takes."""
    if searched:
        print(f"\n{'a page of 50, searched for':<34}{'database':>12}{'recordings':>12}", end="")
        print(f"{'times':>7}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'CPU p50':>9}{'CPU p99':>9}")
    for row in searched:
        late = f"  above {GOAL_MS} ms" if row.p99_ms > GOAL_MS else ""
        print(
            f"{row.what:<34}{row.database:>12}{row.recordings:>12}{row.times:>7}"
            f"{row.p50_ms:>9.1f}{row.p99_ms:>9.1f}{row.longest_ms:>9.1f}{row.cpu_p50_ms:>9.1f}{row.cpu_p99_ms:>9.1f}{late}"
        )
