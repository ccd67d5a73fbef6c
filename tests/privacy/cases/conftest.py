"""A recorder with an investigator, a privacy officer and others, each with a token; the papers of a case."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from privacy.conftest import srs, talk
from sqlalchemy import Engine
from sqlmodel import col, select
from support import databases
from support.calls import noise
from support.recorder import Recorder, until
from support.stand_in import archive, ended

from srs.archive.database import connect, reading, writing
from srs.archive.keep import Archive
from srs.archive.tables import Recording
from srs.config import Settings
from srs.privacy import tokens, users
from srs.privacy.cases.apart import Apart
from srs.privacy.cases.approval import approve
from srs.privacy.cases.cabinet import Actor, Cabinet
from srs.privacy.cases.closing import close
from srs.privacy.cases.dossier import Opening, open_case
from srs.privacy.cases.papers import Document, add_paper
from srs.privacy.cases.recordings import Kept, opened
from srs.privacy.cases.tables import Case, Outcome, PaperKind
from srs.privacy.roles import Right, assignment
from srs.privacy.tables import User

__all__ = ["archive", "ended"]

CUSTOMER = "sip:+31201234567@example.com"
SETTINGS = """
[privacy]
unassigned = "drop"
[[purpose_rule]]
purpose = "agreement"
match = { number = ["0900*"] }
"""
ROLES = {
    "ivy": "investigator",
    "ian": "investigator",
    "olga": "privacy officer",
    "adam": "administrator",
    "aud": "auditor",
    "sam": "employee",
    "otto": "privacy officer",
}
EXTENSIONS = {"sam": ["250"], "ian": ["260"], "otto": ["270"]}
HOUSE = [Right.CASES, Right.APPROVE]


@dataclass
class House:
    """A running recorder and its people."""

    recorder: Recorder
    engine: Engine
    tokens: dict[str, str]
    folder: Path
    names: Iterator[int] = field(default_factory=lambda: count(201))
    seen: list[str] = field(default_factory=list)

    def srs(self, who: str, *words: object) -> tuple[int, str]:
        """`srs case …` by somebody: exit status, what it says."""
        self.recorder.environment["SRS_TOKEN"] = self.tokens[who]
        return self.command("case", *words)

    def command(self, *words: object) -> tuple[int, str]:
        """Any `srs` command: exit status, what it says."""
        return srs(self.recorder, *words)

    def done(self, who: str, *words: object) -> str:
        status, said = self.srs(who, *words)
        assert status == 0, said
        return said

    def refused(self, who: str, *words: object) -> str:
        status, said = self.srs(who, *words)
        assert status == 1, said
        return said

    @contextmanager
    def also(self, who: str, role: str) -> Iterator[None]:
        """Somebody has another role for a while."""
        with writing(self.engine) as session:
            users.give(session, users.get(session, who), assignment(role))
        yield
        with writing(self.engine) as session:
            users.take(session, users.get(session, who), role)

    def suspect(self) -> str:
        """An extension that no other test uses."""
        return str(next(self.names))

    def paper(self, name: str) -> Path:
        path = self.folder / name
        path.write_bytes(f"%PDF {name} of the case".encode())
        return path

    def open(self, person: str, *more: object, lasting: timedelta = timedelta(days=30)) -> str:
        """A case by ivy; its id."""
        end = f"{datetime.now(UTC) + lasting:%Y-%m-%dT%H:%M:%S}+0000"
        words = ("--suspicion", "fraud with refunds", "--person", person, "--until", end)
        return self.done("ivy", "open", *words, *more).splitlines()[0]

    def add_papers(self, case: str) -> None:
        self.done("ivy", "paper", case, "authority", self.paper("ap.pdf"), "--reference", "AP z2026-17")
        self.done("ivy", "paper", case, "dpia", self.paper("dpia.pdf"))
        self.done("ivy", "paper", case, "works-council", self.paper("or.pdf"))

    def approved(self, person: str, *more: object, lasting: timedelta = timedelta(days=30)) -> str:
        case = self.open(person, *more, lasting=lasting)
        self.add_papers(case)
        self.done("olga", "approve", case)
        return case

    def call(self, callee: str, caller: str = CUSTOMER) -> Recording:
        """A call of 0.4 s; what everybody else has of it."""
        parties = (caller, f"sip:{callee}@example.com")
        thread = Thread(target=talk, args=(self.recorder, *parties, noise(1, 0.4), noise(2, 0.4)))
        thread.start()  # a browser's loop may run in this one
        thread.join()
        return self._newest(callee)

    def _newest(self, callee: str) -> Recording:
        query = select(Recording).where(col(Recording.callee).contains(callee), col(Recording.id).not_in(self.seen))
        found: list[Recording] = []

        def there() -> bool:
            with reading(self.engine) as session:
                found[:] = session.exec(query)
            return len(found) == 1

        until(there, self.recorder.log.read_text)
        self.seen.append(found[0].id)
        return found[0]

    def recorded(self, case: str) -> list[dict[str, Any]]:
        """What a case recorded."""
        return [json.loads(line) for line in self.done("ivy", "recordings", case).splitlines()]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A recorder for all tests of a module."""
    more = {}
    if request.param == "postgresql":
        more["SRS_DATABASE__URL"] = databases.postgresql(request.getfixturevalue("postgres_server"))
    with recording(tmp_path_factory.mktemp("house"), more) as house:
        yield house


@contextmanager
def recording(folder: Path, more: dict[str, str]) -> Iterator[House]:
    """A running recorder with its people; `more` are settings."""
    (folder / "srs.toml").write_text(SETTINGS)
    environment = {"SRS_CONFIG": str(folder / "srs.toml"), **more}
    recorder = Recorder(folder / "data", "127.0.0.1", environment)
    engine = connect(environment.get("SRS_DATABASE__URL") or f"sqlite:///{folder}/data/recordings.sqlite")
    try:
        yield House(recorder, engine, people(engine), folder)
    finally:
        recorder.stop()
        engine.dispose()


def people(engine: Engine) -> dict[str, str]:
    """Makes everybody; their tokens."""
    now, found = datetime.now(UTC), {}
    with writing(engine) as session:
        for name, role in ROLES.items():
            user = User(id=users.new_id(), name=name, language="nl", created_at=now)
            user.mail = None if name == "otto" else f"{name}@example.com"
            user.extensions = EXTENSIONS.get(name, [])
            session.add(user)
            session.flush()
            users.give(session, user, assignment(role))
            found[name] = tokens.issue(session, user, "test", HOUSE, now, timedelta(days=1))[1]
    return found


# Without a recorder: an archive whose calls are at one known time, cases with any clock


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind is enough here: `house` runs on each."""
    return databases.sqlite(tmp_path / "recordings.sqlite")


@pytest.fixture
def desk(archive: Archive) -> "Desk":
    """The archive of `support.stand_in`, which records apart."""
    return Desk(archive)


class Desk:
    """An archive, its people, and cases of alice, who calls from `CALL` on for 2 s."""

    def __init__(self, archive: Archive, **settings: Any) -> None:
        people(archive.engine)
        self.settings = Settings(data_dir=archive.data_dir, **settings)
        self.cabinet = Cabinet(self.settings, archive.engine, archive.store)
        self.archive = archive

    def at(self, now: datetime) -> Archive:
        """The archive of a recorder whose clock says so."""
        return replace(self.archive, on_heard=(Apart(self.settings, lambda: now),))

    def actor(self, name: str) -> Actor:
        with reading(self.cabinet.engine) as session:
            return Actor(users.person(session, users.get(session, name)), "test")

    def open(self, since: datetime, until: datetime, now: datetime, *persons: str) -> Case:
        told = Opening("fraud", persons or ("alice",), since, until, "no works council")
        return open_case(self.cabinet, self.actor("ivy"), told, now)

    def approved(self, since: datetime, until: datetime, now: datetime) -> Case:
        return self.approve_with_papers(self.open(since, until, now), now)

    def approve_with_papers(self, case: Case, now: datetime) -> Case:
        for kind, reference in ((PaperKind.DPIA, None), (PaperKind.AUTHORITY, "AP 1")):
            document = Document(kind, "paper.pdf", b"yes", reference)
            add_paper(self.cabinet, self.actor("ivy"), case.id, document, now)
        return approve(self.cabinet, self.actor("olga"), case.id, now)

    def recorded(self, case: Case) -> list[Kept]:
        return opened(self.cabinet, case)

    def close(self, case: Case, outcome: Outcome, now: datetime) -> Case:
        return close(self.cabinet, self.actor("ivy"), case.id, outcome, "said so", now)

    def now_is(self, case: Case) -> Case:
        with reading(self.cabinet.engine) as session:
            return session.get_one(Case, case.id)
