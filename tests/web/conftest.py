"""A recorder with pages and a call in it, and a browser."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from support.browsing import CHROMIUM, PASSWORD, SWITCHES, Site
from support.calls import Talk, make_plan
from support.house import Enter, serving, sign_in
from support.recorder import Recorder, free_port, until

from srs.archive.database import connect, writing
from srs.privacy import users
from srs.privacy.roles import Right, Scope, assignment
from srs.web.house import House


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One with a recorded call, and the users `admin`, `anna` (everything that may be heard) and `bert` (no role)."""
    data = tmp_path_factory.mktemp("web") / "data"
    port = free_port("127.0.0.1")
    recorder = Recorder(data, "127.0.0.1", {"SRS_WEB__LISTEN": f"https://127.0.0.1:{port}"})
    try:
        until(lambda: "web pages" in recorder.log.read_text(), lambda: recorder.log.read_text())
        Talk(make_plan(recorder, 3.0)).outcomes()  # in a thread: the browser's loop may run in this one
        (recording,) = recorder.recordings(1)
        _people(data)
        yield Site(f"https://127.0.0.1:{port}", recorder, recording["id"])
    finally:
        recorder.stop()


def _people(data: Path) -> None:
    engine = connect(f"sqlite:///{data / 'recordings.sqlite'}")
    now = datetime.now(UTC)
    hear = [Right.LIST, Right.PLAY, Right.DOWNLOAD, Right.HOLD, Right.MAIL]
    with writing(engine) as session:
        for name, language in (("anna", "en"), ("jan", "nl"), ("bert", "en")):
            user, _ = users.add(session, name, now, language=language)
            users.set_password(session, user, PASSWORD)
            if name != "bert":
                users.give(session, user, assignment("supervisor", Scope.ALL, rights=[*hear, Right.LISTEN]))
                users.give(session, user, assignment("privacy officer", rights=[*hear, Right.DELETE]))
                users.give(session, user, assignment("administrator"))
    engine.dispose()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
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
