"""The recorder's processes are replaced while people are at its pages: no page is refused, and sound comes back."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from playwright.sync_api import Browser, expect
from support.browsing import Site, Walk, visiting
from support.recorder import until

pytestmark = pytest.mark.timeout(300)

PAUSE_S = 0.2
"""Between pages: faster ones are refused, which is another matter."""


class Reader(threading.Thread):
    """Somebody who asks for page after page, each by a new connection."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url, self._over = url, threading.Event()
        self.seen: list[str] = []
        """The process that answered each time, or what went wrong."""

    def run(self) -> None:
        while not self._over.is_set():
            try:
                answer = requests.get(self._url + "/health/live", verify=False, timeout=30)
                self.seen.append(answer.headers["X-Process"] if answer.ok else f"{answer.status_code}")
            except requests.RequestException as error:
                self.seen.append(repr(error))
            self._over.wait(PAUSE_S)

    def stop(self) -> None:
        self._over.set()
        self.join()


@contextmanager
def reading(site: Site, people: int = 3) -> Iterator[list[Reader]]:
    readers = [Reader(site.url) for _ in range(people)]
    for each in readers:
        each.start()
    yield readers
    for each in readers:
        each.stop()


def pages_of(site: Site) -> list[int]:
    """The processes of the pages."""
    listed = subprocess.run(
        ["ps", "--ppid", str(site.recorder.process.pid), "-o", "pid=,args="],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "-m srs.web.server " in line]


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_no_page_is_refused_while_processes_are_replaced_or_die(site: Site):
    (before,) = pages_of(site)
    with reading(site) as readers:
        os.kill(site.recorder.process.pid, signal.SIGHUP)
        until(lambda: before not in pages_of(site), site.recorder.log.read_text)
        (successor,) = pages_of(site)
        until(lambda: len(set(readers[0].seen)) == 2, lambda: f"{readers[0].seen[-3:]}")
    for reader in readers:
        assert all(re.fullmatch("[0-9a-f]{16}", each) for each in reader.seen), set(reader.seen)
    died = Reader(site.url)
    os.kill(successor, signal.SIGKILL)
    died.start()  # it finds nobody there, and waits at the socket that is held
    until(lambda: len(died.seen) > 2, site.recorder.log.read_text)
    died.stop()
    assert len(set(died.seen)) == 1
    assert re.fullmatch("[0-9a-f]{16}", died.seen[0]), died.seen[0]


@pytest.mark.browser
def test_who_saves_settings_goes_on_by_themselves_to_settings_that_hold(browser: Browser, site: Site, walk: Walk):
    with visiting(browser, site, **walk.browser) as visitor:  # whatever fails to load is a complaint
        visitor.sign_in(walk.user)
        page, say = visitor.go("/settings/admission"), visitor.say
        page.get_by_label(say("field calls")).fill("321")
        page.get_by_role("button", name=say("Save")).click()
        expect(page.get_by_role("status")).to_contain_text({"en": "one by one", "nl": "een voor een"}[walk.language])
        expect(page.locator("h1")).to_have_text(say("Limits"), timeout=60_000)
        page.goto(f"{site.url}/settings")
        expect(page.locator("tr", has_text="admission.calls")).to_contain_text("321")
