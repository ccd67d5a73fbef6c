"""The pages and the API over HTTP, without a recorder: one recording of a second, and people with roles."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import requests
from support import databases
from support.client import Client
from support.recorder import free_port

from srs.archive import audio, peaks
from srs.archive.database import writing
from srs.archive.tables import Leg, Recording, State
from srs.config import Settings, WebSettings
from srs.privacy import tokens, users
from srs.privacy.roles import Assignment, Right
from srs.web.house import House, open_house
from srs.web.server import bind, serve

if TYPE_CHECKING:
    from support.browsing import Site

NOW = datetime.now(UTC)
PASSWORD = "correct horse battery"
ID = "0123456789abcdef0123456789abcdef"


@contextmanager
def serving(data: Path, **settings: object) -> Iterator[House]:
    """The pages and the API of a data folder with one recording of a second."""
    web = WebSettings(listen=f"http://127.0.0.1:{free_port('127.0.0.1')}", requests_per_s=1000.0)
    databases.sqlite(data / "recordings.sqlite")
    made = open_house(Settings(data_dir=data, **{"web": web, **settings}))
    stop, end = threading.Event(), bind(made.settings)
    server = threading.Thread(target=serve, args=(made, end, stop))
    server.start()
    try:
        add_recording(made, ID, "x.wav")
        yield made
    finally:
        stop.set()
        server.join()
        end.close()
        made.engine.dispose()


def add_recording(house: House, id_: str, key: str | None = None, **more: object) -> None:
    """A recording with sound; the name of its callee is markup."""
    samples = np.arange(16000, dtype=np.int16).reshape(8000, 2)
    sound, key = io.BytesIO(), key or f"{id_}.wav"
    audio.write(sound, "wav", audio.pieces(samples), 2, 8000, {})
    size = sound.tell()
    sound.seek(0)
    house.store.put(key, sound)
    peaks.save(house.store, key, list(samples.T), 8000)
    legs = [Leg(channel=0, aor="sip:ann@example.com"), Leg(channel=1, aor="sip:300@example.com", name="<b>Bob</b>")]
    moments = {"started_at": NOW, "ended_at": NOW, "created_at": NOW, "duration_s": 1.0}
    kept = {"file": key, "format": "wav", "bytes": size, "sha256": "00" * 32}
    told = {"caller": "sip:ann@example.com", **moments, **kept, "legs": legs, **more}
    with writing(house.engine) as session:
        session.add(Recording(id=id_, state=State.READY, **told))


Enter = Callable[..., Client]


def sign_in(house: House, *roles: Assignment, name: str = "eve") -> Client:
    """A browser of a new user with some roles."""
    person(house, name, *roles)
    client = stranger(house)
    answer = client.post("/sign-in", data={"name": name, "password": PASSWORD, "code": "", "to": "/recordings"})
    assert answer.status_code == 303, answer.text
    return client


def stranger(house: House) -> Client:
    return Client(house.url)


def person(house: House, name: str, *roles: Assignment) -> None:
    """A user who can sign in."""
    with writing(house.engine) as session:
        user, _ = users.add(session, name, NOW)
        users.set_password(session, user, PASSWORD)
        for role in roles:
            users.give(session, user, role)


def token(house: House, name: str, *rights: Right, days: float = 1.0) -> str:
    """A token of a user."""
    with writing(house.engine) as session:
        return tokens.issue(session, users.get(session, name), "test", rights, NOW, timedelta(days=days))[1]


class Program(requests.Session):
    """What uses the API with a token."""

    def __init__(self, house: "House | Site", secret: str) -> None:
        super().__init__()
        self._url = f"{house.url}/api/v1"
        self.headers.update({"Authorization": f"Bearer {secret}", "Connection": "close"})

    def request(self, method, path, **options):
        return super().request(method, self._url + path, **{"timeout": 60, **options})
