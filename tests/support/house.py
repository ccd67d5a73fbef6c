"""The pages over HTTP, without a recorder: one recording of a second, and people with roles."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from support.client import Client
from support.recorder import free_port

from srs.archive import audio, peaks
from srs.archive.database import writing
from srs.archive.tables import Leg, Recording, State
from srs.config import Settings, WebSettings
from srs.privacy import users
from srs.privacy.roles import Assignment
from srs.web.house import House, open_house
from srs.web.server import bind, serve

NOW = datetime.now(UTC)
PASSWORD = "correct horse battery"
ID = "0123456789abcdef0123456789abcdef"


@contextmanager
def serving(tmp_path: Path) -> Iterator[House]:
    """The pages of a data folder with one recording of a second."""
    settings = Settings(data_dir=tmp_path, web=WebSettings(listen=f"http://127.0.0.1:{free_port('127.0.0.1')}"))
    made, stop, end = open_house(settings), threading.Event(), bind(settings)
    server = threading.Thread(target=serve, args=(made, end, stop))
    server.start()
    samples = np.arange(16000, dtype=np.int16).reshape(8000, 2)
    sound = io.BytesIO()
    audio.write(sound, "wav", audio.pieces(samples), 2, 8000, {})
    size = sound.tell()
    sound.seek(0)
    made.store.put("x.wav", sound)
    peaks.save(made.store, "x.wav", samples, 8000)
    legs = [Leg(channel=0, aor="sip:ann@example.com"), Leg(channel=1, aor="sip:300@example.com", name="<b>Bob</b>")]
    moments = {"started_at": NOW, "ended_at": NOW, "created_at": NOW, "duration_s": 1.0}
    kept = {"file": "x.wav", "format": "wav", "bytes": size, "sha256": "00" * 32}
    row = Recording(id=ID, state=State.READY, caller="sip:ann@example.com", **moments, **kept, legs=legs)
    with writing(made.engine) as session:
        session.add(row)
    yield made
    stop.set()
    server.join()
    end.close()
    made.engine.dispose()


Enter = Callable[..., Client]


def sign_in(house: House, *roles: Assignment, name: str = "eve") -> Client:
    """A browser of a new user with some roles."""
    with writing(house.engine) as session:
        user, _ = users.add(session, name, NOW)
        users.set_password(session, user, PASSWORD)
        for role in roles:
            users.give(session, user, role)
    client = stranger(house)
    answer = client.post("/sign-in", data={"name": name, "password": PASSWORD, "code": "", "to": "/recordings"})
    assert answer.status_code == 303, answer.text
    return client


def stranger(house: House) -> Client:
    return Client(house.url)
