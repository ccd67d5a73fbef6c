"""Calls under way, seen, steered and heard in Chromium."""

import json

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browsing import Site, visiting
from support.calls import Talk
from support.listening import TONES, tones
from support.recorder import until

from srs import control
from srs.control import Order

expect.set_options(timeout=30_000)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
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
        page = anna.go("/live", "anna-live-call")
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
        seen = jan.go("/live", "jan-live-call")
        expect(seen.locator(f"article[data-id='{call}'] .facts")).to_contain_text("Luistert mee: anna")
        card.get_by_role("button", name="Stop listening").click()
        expect(seen.locator(f"article[data-id='{call}'] .facts")).not_to_contain_text("anna")


def test_a_supervisor_pauses_resumes_and_gives_a_purpose_without_leaving_the_page(
    browser: Browser, site: Site, call: str
):
    with visiting(browser, site, viewport=PHONE) as visitor:
        visitor.sign_in("anna")
        page = visitor.go("/live")
        card = page.locator(f"article[data-id='{call}']")
        card.get_by_role("button", name="Pause").click()
        expect(card.locator(".facts")).to_contain_text("Paused, nothing is kept")
        visitor.go("/live", "anna-live-paused")
        card.get_by_role("button", name="Resume").click()
        expect(card.get_by_role("button", name="Pause")).to_be_visible()
        card.get_by_label("Purpose").select_option("quality")
        card.get_by_role("button", name="Set purpose").click()
        expect(card.locator(".tag")).to_have_text("quality")
        visitor.go(f"/live/{call}/stop", "anna-stop")
        page.goto(f"{site.url}/audit?subject=recording:{call}")
        for action in ("pause", "resume", "purpose", "listen"):
            expect(page.locator("tbody")).to_contain_text(action)
    lines = [json.loads(line) for line in site.recorder.run("list", "--json").splitlines()]
    assert [line["state"] for line in lines if line["id"] == call] == ["recording"]
