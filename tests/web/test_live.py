"""Calls under way, seen, steered and heard in Chromium."""

import asyncio
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browsing import DESKTOP, PHONE, Site, Walk, visiting
from support.calls import Talk
from support.house import NOW, Program
from support.listening import PARTIES, TONES, listen, tones
from support.recorder import until

from srs import control
from srs.archive.database import connect, writing
from srs.control import Order
from srs.privacy import tokens, users
from srs.privacy.roles import Right

expect.set_options(timeout=30_000)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
LOUDEST = """async () => {
  const context = new AudioContext();
  const source = context.createMediaStreamSource(document.querySelector("listen-in audio").srcObject);
  const splitter = context.createChannelSplitter(2);
  source.connect(splitter);
  const ears = [0, 1].map((channel) => {
    const ear = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
    splitter.connect(ear, channel);
    return ear;
  });
  const found = [[], []];
  for (let turn = 0; turn < 40; turn++) {
    await new Promise((done) => setTimeout(done, 100));
    ears.forEach((ear, channel) => {
      const levels = new Float32Array(ear.frequencyBinCount);
      ear.getFloatFrequencyData(levels);
      const peak = levels.indexOf(Math.max(...levels));
      if (levels[peak] > -60) found[channel].push((peak * context.sampleRate) / ear.fftSize);
    });
  }
  await context.close();
  return found;
}"""


@pytest.fixture(scope="module")
def call(site: Site) -> str:
    """The id of a call under way; both of its parties sound two tones in turn."""
    talk = Talk(tones((site.recorder.host, site.recorder.port), 150.0))
    folder = site.recorder.data / "captures" / "open"
    until(lambda: bool(list(folder.glob("*.pcap"))) or not talk.running, lambda: site.recorder.log.read_text())
    (path,) = folder.glob("*.pcap")
    yield path.stem
    control.ask(site.recorder.data, Order("stop", path.stem, "test"))
    until(lambda: not path.exists(), lambda: "the call goes on")


def is_heard(page: Page) -> None:
    """The browser has the caller's tones on the left, the callee's on the right, and nothing else."""
    heard = page.evaluate(LOUDEST)
    for channel, wanted in zip(heard, TONES, strict=True):
        near = [
            min(wanted, key=lambda each: abs(each - found))
            for found in channel
            if min(abs(each - found) for each in wanted) < 15
        ]
        assert len(near) > 20, heard
        assert len(near) > 0.8 * len(channel), heard
        assert set(near) == set(wanted)


def test_the_browser_hears_each_party_on_its_side_and_others_see_it(browser: Browser, site: Site, call: str):
    with visiting(browser, site, viewport=DESKTOP) as anna, visiting(browser, site, viewport=PHONE, locale="nl") as jan:
        anna.sign_in("anna")
        page = anna.go("/live", "live-call")
        card = page.locator(f"article[data-id='{call}']")
        expect(card.locator("h2")).to_contain_text("lena@example.com → omar@example.com")
        expect(card.locator("meter").first).not_to_have_attribute("value", "-60")
        expect(card.locator(".legs .badge").first).to_have_text("100 %")
        card.get_by_role("button", name="Listen in").focus()
        page.keyboard.press("Enter")
        expect(card.get_by_role("button", name="Stop listening")).to_be_visible()
        expect(card.locator(".facts")).to_contain_text("anna")
        expect(card.locator("audio")).to_have_js_property("paused", False)
        is_heard(page)
        jan.sign_in("jan")
        seen = jan.go("/live", "live-call")
        expect(seen.locator(f"article[data-id='{call}'] .facts")).to_contain_text("Luistert mee: anna")
        card.get_by_role("button", name="Stop listening").click()
        expect(seen.locator(f"article[data-id='{call}'] .facts")).not_to_contain_text("anna")


UNSAID = "It may be heard for what it is kept for only: say above what you listen in for."
STREAM = "() => document.querySelector('listen-in audio').srcObject?.id ?? ''"


def test_who_listens_in_hears_on_when_the_processes_are_replaced(browser: Browser, site: Site, call: str):
    with visiting(browser, site, viewport=DESKTOP) as visitor:
        visitor.sign_in("anna")
        page = visitor.go("/live")
        page.locator(f"article[data-id='{call}']").get_by_role("button", name="Listen in").click()
        until(lambda: page.evaluate(STREAM), lambda: page.inner_text("main"))
        before = page.evaluate(STREAM)
        os.kill(site.recorder.process.pid, signal.SIGHUP)
        until(lambda: page.evaluate(STREAM) not in ("", before), lambda: page.inner_text("main"))
        is_heard(page)
        page.goto(f"{site.url}/audit?action=stop+listening")
        expect(page.locator("tbody tr").first).to_contain_text("user:anna")


def test_a_program_sees_hears_and_steers_it_too(site: Site, call: str):
    with api_of(site, "jan", Right.LIST, Right.LISTEN, Right.CONTROL) as program:
        until(lambda: all(leg["came"] for leg in program.get(f"/calls/{call}").json()["legs"]), lambda: call)
        (told,) = program.get("/calls").json()["items"]
        assert (told["id"], told["caller"], told["control"], told["listen"]) == (call, PARTIES[0], True, True)
        assert [leg["party"] for leg in told["legs"]] == list(PARTIES)
        with ThreadPoolExecutor(1) as beside:  # the browser's loop may run in this thread
            heard = beside.submit(asyncio.run, listen(Hearing(program), f"/calls/{call}/listen", 5.0)).result()
        assert {round(each, -1) for _, each in heard.frequencies(0) if each} & set(TONES[0])
        assert program.post(f"/calls/{call}/pause").status_code == 204
        until(lambda: program.get(f"/calls/{call}").json()["paused_at"], lambda: "it goes on")
        assert program.post(f"/calls/{call}/resume").status_code == 204
        assert program.put(f"/calls/{call}/purpose", json={"purpose": "complaints"}).status_code == 204
        until(lambda: program.get(f"/calls/{call}").json()["purpose"] == "complaints", lambda: "it has no purpose")
        assert program.put(f"/calls/{call}/purpose", json={"purpose": "fun"}).status_code == 409
        audited = program.get("/audit", params={"subject": f"recording:{call}"})
        assert audited.status_code == 403, "the token is not for it"
    with api_of(site, "jan", Right.LIST) as deaf:
        assert not deaf.get(f"/calls/{call}").json()["control"]
        for path in ("pause", "stop"):
            assert deaf.post(f"/calls/{call}/{path}").status_code == 403
        assert deaf.post(f"/calls/{call}/listen", json={"offer": ""}).status_code == 403


class Hearing:
    """Asks the API to listen, as `listen` asks a page."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def post(self, path: str, data: dict[str, str], timeout: float) -> SimpleNamespace:
        answer = self._program.post(path, json=data, timeout=timeout)
        return SimpleNamespace(status_code=answer.status_code, text=answer.json().get("answer"))


def api_of(site: Site, name: str, *rights: Right) -> Program:
    """A program of a user."""
    engine = connect(f"sqlite:///{site.recorder.data / 'recordings.sqlite'}")
    with writing(engine) as session:
        secret = tokens.issue(session, users.get(session, name), "test", rights, NOW, timedelta(days=1))[1]
    engine.dispose()
    program = Program(site, secret)
    program.trust_env, program.verify = False, str(site.recorder.data / "web" / "certificate.pem")
    return program


def test_a_supervisor_pauses_resumes_and_gives_a_purpose_without_leaving_the_page(
    browser: Browser, site: Site, call: str, walk: Walk
):
    with visiting(browser, site, **walk.browser) as visitor:
        visitor.sign_in(walk.user)
        page, say = visitor.go("/live"), visitor.say
        card = page.locator(f"article[data-id='{call}']")
        card.get_by_role("button", name=say("Pause")).click()
        expect(card.locator(".facts")).to_contain_text(say("Paused, nothing is kept:"))
        visitor.go("/live", "live-paused")
        card.get_by_role("button", name=say("Resume")).click()
        expect(card.get_by_role("button", name=say("Pause"))).to_be_visible()
        card.get_by_label(say("Purpose")).select_option("quality")
        card.get_by_role("button", name=say("Set purpose")).click()
        expect(card.locator(".tag")).to_have_text("quality")
        expect(card.get_by_role("button", name=say("Listen in"))).to_be_hidden()
        expect(card.get_by_text(say(UNSAID))).to_be_visible()
        page.goto(f"{site.url}/live")
        page.get_by_label(say("Purpose of use")).select_option("quality")
        page.get_by_role("button", name=say("Go on")).click()
        expect(card.get_by_role("button", name=say("Listen in"))).to_be_visible()
        visitor.go(f"/live/{call}/stop", "stop")
        page.goto(f"{site.url}/audit?subject=recording:{call}")
        for action in ("pause", "resume", "purpose", "listen"):
            expect(page.locator("tbody")).to_contain_text(action)
    lines = [json.loads(line) for line in site.recorder.run("list", "--json").splitlines()]
    assert [line["state"] for line in lines if line["id"] == call] == ["recording"]
