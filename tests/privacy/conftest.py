"""A recorder with settings of a test, calls whose legs are said by a synthetic voice; people in a database."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from sqlalchemy import Engine
from support.calls import talk as talk
from support.recorder import Recorder, until

from srs.archive.audio import wav_header
from srs.archive.database import connect, writing
from srs.privacy import users
from srs.privacy.roles import Assignment
from srs.privacy.tables import User

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Record(Protocol):
    def __call__(self, settings: str) -> Recorder: ...


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Record]:
    """Starts a recorder with a settings file."""
    running: list[Recorder] = []

    def start(settings: str) -> Recorder:
        file = tmp_path / "srs.toml"
        file.write_text(settings)
        running.append(Recorder(tmp_path / "data", "127.0.0.1", {"SRS_CONFIG": str(file)}))
        return running[-1]

    yield start
    for each in running:
        each.stop()


def wav(path: Path, sound: np.ndarray) -> Path:
    path.write_bytes(wav_header(1, 8000, 2 * len(sound)) + sound.astype("<i2").tobytes())
    return path


def srs(recorder: Recorder, *words: object) -> tuple[int, str]:
    """An `srs` command: exit status, what it says."""
    status, out, err = recorder.command(*words)
    return status, out + err


def done(recorder: Recorder, *words: object) -> str:
    """What a command says that goes well."""
    status, said = srs(recorder, *words)
    assert status == 0, said
    return said


def recordings(recorder: Recorder, count: int, state: str = "ready") -> list[dict[str, Any]]:
    """All that is known of the recordings, newest first, when there are so many and all in that state."""
    found: list[dict[str, Any]] = []

    def there() -> bool:
        found[:] = map(json.loads, done(recorder, "list", "--json").splitlines())
        return len(found) == count and {row["state"] for row in found} == {state}

    until(there, lambda: f"{found}\n{recorder.log.read_text()}")
    return [json.loads(done(recorder, "show", row["id"], "--json")) for row in found]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def make_user(engine: Engine) -> Callable[..., User]:
    """Makes a user with a password that holds and with roles."""

    def make(
        name: str = "ann", *roles: Assignment, extensions: tuple[str, ...] = (), password: str = "correct horse"
    ) -> User:
        with writing(engine) as session:
            user, _ = users.add(session, name, NOW)
            users.set_password(session, user, password)
            user.extensions = list(extensions)
            for role in roles:
                users.give(session, user, role)
            return user

    return make
