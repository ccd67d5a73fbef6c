"""The databases that are measured: SQLite in a folder, and a PostgreSQL server of the benchmark's own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from support import postgres


@contextmanager
def databases(directory: Path) -> Iterator[dict[str, str]]:
    """URLs of new databases by kind; PostgreSQL, durable as it is by default, only where it is installed."""
    found = {"SQLite": f"sqlite:///{directory}/recordings.sqlite"}
    if postgres.programs() is None:
        print("PostgreSQL is missing: apt-get install postgresql")
        yield found
        return
    with postgres.server(options=()) as server:
        yield {**found, "PostgreSQL": server.database()}
