"""What tests of several packages need."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import settings
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from support import databases, postgres, s3
from support.recorder import Recorder, Recorders

from srs.privacy import passwords

FIRST, LAST = ("web", "privacy", "live", "capture"), ("rtp", "sip", "siprec")
"""Packages whose tests start most, and those whose tests start nothing."""

settings.register_profile("srs", deadline=None)  # no test asserts time: machines are shared
settings.load_profile("srs")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules that run for a minute come first, many quick tests last: then those who share the work end together."""

    def place(item: pytest.Item) -> int:
        package = item.path.relative_to(Path(__file__).parent).parts[0]
        return (package in LAST) - (package in FIRST)

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Passwords that tests make cost little work, here and in recorders that check them: the work is in the hash."""
    little = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
    with patch.object(passwords, "_hasher", cache(lambda: PasswordHash((little,)))):
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A PostgreSQL server for all tests of this process."""
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is missing: apt-get install postgresql")
    with postgres.server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A new database of each kind that the recorder works on, with its tables."""
    if request.param == "sqlite":
        return databases.sqlite(tmp_path_factory.mktemp("database") / "recordings.sqlite")
    return databases.postgresql(request.getfixturevalue("postgres_server"))


@pytest.fixture(params=["sqlite", "postgresql"])
def untouched_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """One of each kind that was never opened."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/recordings.sqlite"
    running: postgres.Server = request.getfixturevalue("postgres_server")
    return running.database()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[dict[str, str]]:
    """An S3 server for all tests of this process: the environment that leads to it."""
    with s3.server() as environment:
        yield environment


@pytest.fixture
def s3_environment(s3_server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The same, set."""
    for name, value in s3_server.items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture
def start_recorder(tmp_path: Path) -> Iterator[Callable[..., Recorder]]:
    """Starts recorders: `start_recorder(host="127.0.0.1", data=…, **environment)`; they are stopped after the test."""
    running: list[Recorder] = []

    def start(host: str = "127.0.0.1", data: Path = tmp_path / "data", **environment: str) -> Recorder:
        running.append(Recorder(data, host, environment))
        return running[-1]

    yield start
    for recorder in running:
        if recorder.process.poll() is None:
            recorder.stop()


@pytest.fixture(scope="session")
def recorders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorders]:
    """Recorders that tests use one after another, because to start one takes seconds."""
    running = Recorders(lambda: tmp_path_factory.mktemp("recorder"))
    yield running
    running.stop()


@pytest.fixture
def recorder(recorders: Recorders) -> Recorder:
    return recorders.lend()
