"""How fast recordings are mailed, copied and deleted after the call, and what each costs."""

import io
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import Engine

from benchmarks.databases import databases
from benchmarks.recorder import HOST, cpu_s
from srs.archive import audio
from srs.archive.database import connect, writing
from srs.archive.store import Store, open_store
from srs.archive.tables import Recording
from srs.config import Settings, load
from srs.handoff import tasks
from srs.handoff.plan import planner

SECONDS = 60
RATE = 8000
SETTINGS = """\
database = {{ url = "{url}" }}
[mail]
sender = "recorder@example.org"
per_minute = 1000000
server = [{{ host = "{host}", port = {port}, tls = "none" }}]
{rule}
"""
_MAILED = '[[mail.rule]]\nname = "all"\nto = ["a@example.com"]\ndelete_after = true\nformat = "{}"'


@dataclass(frozen=True, slots=True)
class Way:
    """What is done with each recording."""

    name: str
    rule: str
    tasks: int


WAYS = (
    Way("mailed as wav, deleted", _MAILED.format("wav"), 2),
    Way("mailed as mp3, deleted", _MAILED.format("mp3"), 2),
    Way("copied to a folder", '[[handoff]]\nname = "vault"\nmodule = "copy"\noptions = {{ url = "{copies}" }}', 1),
)


@dataclass(frozen=True, slots=True)
class Handed:
    """Recordings handed over by one process."""

    database: str
    way: str
    recordings: int
    per_s: float
    cpu_ms: float
    """Of the handoff process, for each recording; what the mail server and the database server cost is not in it."""


def measure_handoff(directory: Path, recordings: int) -> Iterator[Handed]:
    """Hand over so many recordings of a minute in each way, on each database."""
    for number, way in enumerate(WAYS):
        folder = directory / f"handoff{number}"
        folder.mkdir()
        with databases(folder) as urls, _mail_server() as port:
            for kind, url in urls.items():
                data = folder / kind
                data.mkdir()
                yield Handed(kind, way.name, recordings, *_measure(way, recordings, data, url, port))
        shutil.rmtree(folder)


def _measure(way: Way, recordings: int, data: Path, url: str, port: int) -> tuple[float, float]:
    """Recordings a second, and milliseconds of processor time for each."""
    rule = way.rule.format(copies=(data / "copies").as_uri())
    file = data / "srs.toml"
    file.write_text(SETTINGS.format(url=url, host=HOST, port=port, rule=rule))
    settings, engine = load(file, data), connect(url)
    _record(engine, open_store(settings.store_url), settings, recordings)
    command = [sys.executable, "-m", "srs.assembly", "--data", str(data), "--config", str(file)]
    with (data / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            per_s, cpu = _watch(engine, process.pid, recordings * way.tasks)
        finally:
            process.terminate()
            engine.dispose()
    return per_s / way.tasks, cpu * way.tasks * 1000


def _watch(engine: Engine, pid: int, wanted: int) -> tuple[float, float]:
    """Tasks a second, and seconds of processor time for each, from the first that is done to the last."""
    begun = None
    while (done := tasks.counts(engine)["done"]) < wanted:
        if begun is None and done:
            begun = time.monotonic(), cpu_s(pid), done
        time.sleep(0.05)
    assert begun is not None, "too few recordings to measure"
    since, cpu, before = begun
    count = done - before
    return count / (time.monotonic() - since), (cpu_s(pid) - cpu) / count


def _record(engine: Engine, store: Store, settings: Settings, count: int) -> None:
    """Recordings of noise at speech level, with the tasks that the settings ask for."""
    noise = np.random.default_rng(5).normal(0, 1000, (SECONDS * RATE, 2)).astype(np.int16)
    file, now = io.BytesIO(), datetime.now(UTC)
    audio.write(file, "wav", [noise], 2, RATE, {})
    for number in range(count):
        file.seek(0)
        store.put(f"{number}.wav", file)
        with writing(engine) as session:
            row = Recording(
                id=f"r{number:05}",
                state="ready",
                started_at=now - timedelta(seconds=SECONDS),
                ended_at=now,
                created_at=now,
                duration_s=SECONDS,
                caller="sip:+31201234567@carrier.example",
                callee="sip:201@pbx.example",
                file=f"{number}.wav",
                format="wav",
                bytes=file.tell(),
            )
            session.add(row)
            planner(settings)(session, row)


@contextmanager
def _mail_server() -> Iterator[int]:
    """One that takes everything and keeps nothing; its port."""
    with socket.create_server((HOST, 0)) as probe:
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"{HOST}:{port}", "-c", "aiosmtpd.handlers.Sink"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield port
        finally:
            process.terminate()


def show(handed: Sequence[Handed]) -> None:
    """Print how fast recordings are handed over."""
    if handed:
        print(
            f"\n{f'recordings of {SECONDS} s':<28}{'database':>12}{'recordings':>12}{'a second':>10}{'CPU ms each':>13}"
        )
    for row in handed:
        print(f"{row.way:<28}{row.database:>12}{row.recordings:>12}{row.per_s:>10.1f}{row.cpu_ms:>13.1f}")
