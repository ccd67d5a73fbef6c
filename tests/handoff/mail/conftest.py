"""An office that mails what a test records, and the servers that it mails by."""

import subprocess
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from support.smtp import Server, server

from srs.archive.database import reading
from srs.handoff.delete import Delete
from srs.handoff.mail.deliver import Mail, Postman
from srs.handoff.run import Bench
from srs.handoff.tables import Delivery

GROUPS = [{"name": "sales", "extensions": ["2??"], "mail": ["lead@example.com", "second@example.com"]}]

NOTHING: dict = {}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of 127.0.0.1, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    files = folder / "server.pem", folder / "server.key"
    san = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *san]
    subprocess.run([*command, "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    return files


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory):
    with server(tmp_path_factory.mktemp("smtp")) as running:
        yield running


@pytest.fixture
def smtp(shared: Server) -> Server:
    """A mail server without TLS that has taken nothing yet."""
    for path in [*shared.folder.glob("*.eml"), *shared.folder.glob("behaviour.json")]:
        path.unlink()
    return shared


class Office:
    """Mails what a test records."""

    def __init__(self, shelf, *servers: Server, relays: list | None = None, mail: dict = NOTHING, **rule) -> None:
        self.shelf = shelf
        relays = relays or [{"host": "127.0.0.1", "port": each.port, "tls": "none"} for each in servers]
        rules = [{"name": "boss", "to": ["boss@example.com"], "format": "wav", **rule}]
        mail = {
            "sender": "recorder@example.org",
            "admin": ["admin@example.org"],
            "per_minute": 60_000,
            **mail,
        }
        self.sections = {"mail": {**mail, "server": relays, "rule": rules}, "group": GROUPS}
        self.settings = shelf.settings(**self.sections)
        self.postman = Postman(self.settings)
        modules = {each.name: Mail(self.settings, each, self.postman) for each in self.settings.mail.rule}
        lease = timedelta(minutes=1)
        self.bench = Bench(shelf.context(**self.sections), "mail", modules, "me", lease)
        self.last = Bench(shelf.context(**self.sections), "delete", {"": Delete()}, "me", lease)

    def turn(self):
        """Do the task that is due; returns it."""
        self.bench.work(self.bench.take())
        return self.shelf.tasks()["mail boss"]

    def delete(self) -> bool:
        task = self.last.take()
        if task is not None:
            self.last.work(task)
        return task is not None

    def deliveries(self) -> dict[str, tuple[bool, int]]:
        with reading(self.shelf.engine) as session:
            rows = session.execute(Delivery.__table__.select()).all()
            return {row.recipient: (row.accepted, row.code) for row in rows}


@pytest.fixture
def office(shelf):
    offices: list[Office] = []

    def make(*servers: Server, **rule) -> Office:
        offices.append(Office(shelf, *servers, **rule))
        return offices[-1]

    yield make
    for each in offices:
        each.postman.relays.close()


def sound(mail) -> bytes:
    return next(mail.iter_attachments()).get_content()


def decoded(content: bytes, tmp_path: Path) -> np.ndarray:
    """The samples by ffmpeg, shape (frames, 2)."""
    (tmp_path / "attached").write_bytes(content)
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "attached", "-f", "s16le", "-ar", "8000", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, "<i2").reshape(-1, 2)
