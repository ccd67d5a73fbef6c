"""Recordings in an archive of the test's own, and a clock that tests set."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine
from sqlmodel import select
from support import databases
from support.stand_in import archive, ended

from srs.archive import audio
from srs.archive.database import connect, reading, writing
from srs.archive.store import Store, open_store
from srs.archive.tables import Leg, Recording
from srs.config import Settings
from srs.handoff import tasks
from srs.handoff.module import Context
from srs.handoff.modules import modules
from srs.handoff.plan import planner
from srs.handoff.run import Bench
from srs.handoff.tables import Receipt, Task

__all__ = ["archive", "ended"]

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
RATE = 8000


def tones(seconds: float = 1.0) -> np.ndarray:
    """440 Hz left, 1,000 Hz right; int16, shape (frames, 2)."""
    time = np.arange(round(seconds * RATE)) / RATE
    return (8000 * np.sin(2 * np.pi * np.array([[440, 1000]]) * time[:, None])).astype(np.int16)


def wav(samples: np.ndarray) -> io.BytesIO:
    file = io.BytesIO()
    audio.write(file, "wav", [samples], samples.shape[1], RATE, {})
    file.seek(0)
    return file


@dataclass
class Clock:
    """Stands still until a test moves it."""

    time: datetime = NOON

    def __call__(self) -> datetime:
        return self.time

    def on(self, **more: float) -> datetime:
        self.time += timedelta(**more)
        return self.time


@dataclass
class Shelf:
    """An archive with recordings that a test makes."""

    data_dir: Path
    engine: Engine
    store: Store
    clock: Clock = field(default_factory=Clock)

    def settings(self, **sections: object) -> Settings:
        return Settings(data_dir=self.data_dir, **{"tasks": {"local_targets": True}, **sections})

    def context(self, **sections: object) -> Context:
        return Context(self.settings(**sections), self.engine, self.store, self.clock)

    def record(self, settings: Settings, recording: str = "a1", seconds: float = 1.0, **changes: object) -> Recording:
        """A recording of tones that ended now, saved with the tasks that the settings ask for."""
        file = wav(tones(seconds))
        key = f"2026/11/27/{recording}.wav"
        self.store.put(key, file)
        told: dict[str, object] = {
            "id": recording,
            "call_id": f"{recording}@example.com",
            "state": "ready",
            "started_at": self.clock() - timedelta(seconds=seconds),
            "ended_at": self.clock(),
            "created_at": self.clock(),
            "duration_s": seconds,
            "caller": "sip:+31201234567@carrier.example",
            "callee": "sip:201@pbx.example",
            "file": key,
            "format": "wav",
            "bytes": file.tell(),
            "legs": [Leg(channel=0, aor="sip:+31201234567@carrier.example"), Leg(channel=1, aor="sip:201@pbx.example")],
        }
        with writing(self.engine) as session:
            row = Recording(**{**told, **changes})
            session.add(row)
            planner(settings)(session, row)
        return row

    def row(self, recording: str = "a1") -> Recording:
        with reading(self.engine) as session:
            return session.get_one(Recording, recording)

    def tasks(self) -> dict[str, Task]:
        """By what they do: `delete`, `mail boss`."""
        with reading(self.engine) as session:
            return {f"{task.kind} {task.name}".strip(): task for task in session.exec(select(Task))}

    def receipts(self) -> list[Receipt]:
        with reading(self.engine) as session:
            return list(session.exec(select(Receipt)))

    def sounds(self) -> list[str]:
        return sorted(path.name for path in (self.data_dir / "audio").rglob("*.wav"))


@pytest.fixture
def shelf_on(tmp_path: Path) -> Iterator[Callable[[str | None], Shelf]]:
    """Makes a shelf with the database of a URL, or SQLite."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    engines: list[Engine] = []

    def make(url: str | None) -> Shelf:
        engines.append(connect(url or databases.sqlite(data_dir / "recordings.sqlite")))
        return Shelf(data_dir, engines[-1], open_store((data_dir / "audio").as_uri()))

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def shelf(shelf_on: Callable[[str | None], Shelf]) -> Shelf:
    """On SQLite; what the database does with tasks is tested on both in test_tasks.py."""
    return shelf_on(None)


# Modules


def entry(module: str, name: str = "one", **more) -> dict:
    options = more.pop("options", {})
    return {"name": name, "module": module, "options": options, **more}


def work(shelf, *entries: dict, kind: str | None = None):
    """Do the task that is due of a kind; None if there is none."""
    context = shelf.context(handoff=list(entries))
    kind = kind or entries[0]["module"]
    bench = Bench(context, kind, modules(context.settings)[kind], "me", timedelta(minutes=1))
    task = bench.take()
    if task is not None:
        bench.work(task)
        return next(each for each in tasks.listing(shelf.engine) if each.id == task.id)
    return None


def record(shelf, *entries: dict, **changes):
    return shelf.record(shelf.settings(handoff=list(entries)), **changes)


@contextmanager
def while_under_way(shelf, one: dict) -> Iterator[None]:
    """The task of a module is done, but its end is not written yet while the body runs."""
    context = shelf.context(handoff=[one])
    bench = Bench(context, one["module"], modules(context.settings)[one["module"]], "me", timedelta(minutes=1))
    task = bench.take()
    also = bench._run(task)
    yield
    assert tasks.finish(shelf.engine, task, shelf.clock(), also)
