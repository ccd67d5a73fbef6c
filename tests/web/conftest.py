"""A recorder with pages and a call in it, one of a company with an OpenID provider, and a browser."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine
from support import postgres, smtp
from support.browsing import ALL_WAYS, CHROMIUM, PASSWORD, SWITCHES, WALKS, Site, Walk
from support.calls import Talk, make_plan, noise, talk
from support.client import Client
from support.house import Enter, serving, sign_in
from support.oidc import Provider, provider
from support.recorder import Recorder, free_port, until

from srs.archive.database import connect, writing
from srs.archive.subject import number
from srs.privacy import users
from srs.privacy.audit import Wanted, entries
from srs.privacy.roles import Assignment, Right, Scope, assignment
from srs.privacy.tables import AuditEntry
from srs.web.house import House


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each walk goes one way, not all of them the same; with SRS_WALKS=all all of them go all ways (`make walks`)."""
    if "walk" in metafunc.fixturenames:
        place = zlib.crc32(metafunc.function.__name__.encode()) % len(WALKS)
        metafunc.parametrize("walk", WALKS if ALL_WAYS else WALKS[place : place + 1], ids=str)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One with a recorded call, and the users `admin`, `anna` (everything that may be heard) and `bert` (no role)."""
    data = tmp_path_factory.mktemp("web") / "data"
    with smtp.server(data.parent / "mails") as mails:
        yield from _site(data, mails)


def _site(data: Path, mails: smtp.Server) -> Iterator[Site]:
    port = free_port("127.0.0.1")
    mail = {
        "SRS_MAIL__SENDER": "recorder@example.org",
        "SRS_MAIL__SERVER": json.dumps([{"host": "127.0.0.1", "port": mails.port, "tls": "none"}]),
        "SRS_MAIL__RULE": json.dumps([_mail_rule(walk) for walk in WALKS]),
    }
    recorder = Recorder(data, "127.0.0.1", {"SRS_WEB__LISTEN": f"https://127.0.0.1:{port}", **mail})
    try:
        until(lambda: 'event="web pages"' in recorder.log.read_text(), lambda: recorder.log.read_text())
        Talk(make_plan(recorder, 3.0)).outcomes()  # in a thread: the browser's loop may run in this one
        (recording,) = recorder.recordings(1)
        _people(data)
        yield Site(f"https://127.0.0.1:{port}", recorder, recording["id"], mails)
    finally:
        recorder.stop()


def _mail_rule(walk: Walk) -> dict[str, object]:
    """By which nothing is mailed by itself."""
    return {"name": f"lead-{walk}", "to": [f"{walk}@example.org"], "match": {"tag": ["never"]}}


def _people(data: Path) -> None:
    engine = connect(f"sqlite:///{data / 'recordings.sqlite'}")
    now = datetime.now(UTC)
    hear = [Right.LIST, Right.PLAY, Right.DOWNLOAD, Right.HOLD, Right.MAIL, Right.CONTROL]
    with writing(engine) as session:
        for name, language in (("anna", "en"), ("jan", "nl"), ("bert", "en")):
            user, _ = users.add(session, name, now, language=language)
            users.set_password(session, user, PASSWORD)
            if name != "bert":
                users.give(session, user, assignment("supervisor", Scope.ALL, rights=[*hear, Right.LISTEN]))
                users.give(session, user, assignment("privacy officer", rights=[*hear, Right.DELETE]))
                users.give(session, user, assignment("administrator"))
        cases = (("ivy", "en"), ("iris", "nl")), (("olga", "nl"), ("oscar", "en"))
        roles = ("investigator", "privacy officer")
        for name, language, role in ((*who, role) for people, role in zip(cases, roles, strict=True) for who in people):
            user, _ = users.add(session, name, now, language=language)
            users.set_password(session, user, PASSWORD)
            users.give(session, user, assignment(role))
    engine.dispose()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Gone after each module, because nothing else of this process can run a loop while it is there."""
    if CHROMIUM is None:
        pytest.skip("Chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield running
        running.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """With one recording of a second."""
    with serving(tmp_path) as house:
        yield house


@pytest.fixture
def enter(house: House) -> Enter:
    """A browser of a user with some roles, signed in."""
    return partial(sign_in, house)


SETTINGS = """
[[group]]
name = "sales"
extensions = ["201", "202"]
[[group]]
name = "works"
extensions = ["301"]
[[purpose]]
name = "training"
fits = ["quality"]
[[purpose]]
name = "complaints"
listen = ["privacy officer"]
[[purpose_rule]]
purpose = "training"
match = { extension = ["201"] }
[[purpose_rule]]
purpose = "complaints"
match = { extension = ["202"] }
[access]
second_factor = ["auditor"]
[[oidc.role]]
group = "verkoop"
role = "supervisor"
groups = ["sales"]
rights = ["list", "play"]
[[oidc.role]]
group = "techniek"
role = "supervisor"
groups = ["works"]
[[oidc.role]]
group = "beheer"
role = "administrator"
"""
EXTENSIONS = ("201", "202", "301")


@dataclass(frozen=True)
class Company:
    """A recorder, and an OpenID provider that it trusts."""

    url: str
    recorder: Recorder
    provider: Provider
    engine: Engine
    recordings: dict[str, str]
    """Id of the recorded call of each extension."""

    def user(self, name: str, *roles: Assignment, password: str | None = PASSWORD, **more: Any) -> None:
        """Make a user; without a password one who signs in by the provider."""
        with writing(self.engine) as session:
            user = users.add_without_password(session, name, datetime.now(UTC))
            if password:
                users.set_password(session, user, password)
            for role in roles:
                users.give(session, user, role)
            for key, value in more.items():
                setattr(user, key, value)

    def client(self, name: str | None = None) -> Client:
        """A browser, of somebody who signed in with a password."""
        client = Client(self.url)
        if name is not None:
            answer = client.sign_in(name, PASSWORD)
            assert answer.status_code == 303, answer.text
        return client

    def audited(self, **wanted: Any) -> list[AuditEntry]:
        return entries(self.engine, Wanted(**wanted))


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Company]:
    """On PostgreSQL, where there is one, with a call of each extension."""
    folder, port = tmp_path_factory.mktemp("company"), free_port("127.0.0.1")
    (folder / "srs.toml").write_text(SETTINGS)
    own = {"SRS_CONFIG": str(folder / "srs.toml"), "SRS_WEB__LISTEN": f"http://127.0.0.1:{port}"}
    if postgres.programs() is not None:
        own["SRS_DATABASE__URL"] = request.getfixturevalue("postgres_server").database()
    with provider(folder / "provider") as trusted:
        recorder = Recorder(folder / "data", "127.0.0.1", {**own, **trusted.environment()})
        try:
            for extension in EXTENSIONS:
                parties = ("sip:0201234567@example.com", f"sip:{extension}@example.com")
                thread = Thread(target=talk, args=(recorder, *parties, noise(1, 0.5), noise(2, 0.5)))
                thread.start()  # the browser's loop may run in this one
                thread.join()
            found = {number(row["callee"]): row["id"] for row in recorder.recordings(len(EXTENSIONS))}
            until(lambda: 'event="web pages"' in recorder.log.read_text(), recorder.log.read_text)
            engine = connect(own.get("SRS_DATABASE__URL", f"sqlite:///{folder}/data/recordings.sqlite"))
            yield Company(f"http://127.0.0.1:{port}", recorder, trusted, engine, found)
            engine.dispose()
        finally:
            recorder.stop()
