"""The player, tried in Chromium on a call in which everything happens: losses, keys, a hold, an operator's pause."""

import struct
import time
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from support.browsing import Site, Walk, visiting
from support.listening import tone
from support.recorder import until
from support.scene import AUDIO, HELD, START_NS, Scene, stream

from rtp.codecs import encode
from srs.archive.database import connect, writing
from srs.archive.tables import Notice, NoticeState
from srs.capture.events import HERE as RECORDER
from srs.capture.events import info
from srs.siprec import metadata
from srs.siprec.operator import Note

expect.set_options(timeout=30_000)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SECONDS = 12.0
TONES = (440, 1000)
HELD_MS = (4000, 8000)
PAUSED_MS = (9000, 9500)
LOST = range(50, 60)
"""Packets of the caller, a second in."""
COLOURS = """canvas => ["--left", "--right"].map((name, lane) => {
  const hex = getComputedStyle(canvas).getPropertyValue(name);
  const colour = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const half = Math.floor(canvas.height / 2);
  const dots = canvas.getContext("2d").getImageData(0, lane * half, canvas.width, half).data;
  let count = 0;
  for (let at = 0; at < dots.length; at += 4) count += colour.every((part, place) => dots[at + place] === part);
  return count;
})"""
NOTICE = """canvas => {
  const hex = getComputedStyle(canvas).getPropertyValue("--good");
  const colour = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const x = Math.round(canvas.width / 2);
  const dots = canvas.getContext("2d").getImageData(x, Math.round(0.9 * canvas.height), 2, 10).data;
  let count = 0;
  for (let at = 0; at < dots.length; at += 4) count += colour.every((part, place) => dots[at + place] === part);
  return count;
}"""
FOLLOW = """audio => {
  globalThis.places = [];
  audio.addEventListener("timeupdate", () => places.push(audio.currentTime));
  audio.currentTime = 3.5;
}"""
LOUDEST = """async (player) => {
  const ear = new AnalyserNode(player.context, { fftSize: 4096, smoothingTimeConstant: 0 });
  player.gains[CHANNEL].connect(ear);
  const levels = new Float32Array(ear.frequencyBinCount);
  for (let turn = 0; turn < 100; turn++) {
    await new Promise((done) => setTimeout(done, 50));
    ear.getFloatFrequencyData(levels);
    const peak = levels.indexOf(Math.max(...levels));
    if (levels[peak] > -60) return (peak * player.context.sampleRate) / ear.fftSize;
  }
  return 0;
}"""


class Lately(Scene):
    """A minute ago: what is older may be deleted at once."""

    def __init__(self) -> None:
        super().__init__()
        self._late_ms = (time.time_ns() - START_NS) / 1e6 - 60_000

    def datagram(self, ms, payload, source, destination):
        super().datagram(ms + self._late_ms, payload, source, destination)


def happening(path: Path) -> Path:
    """A capture: tones on both legs; the caller's has losses and the key 5, both are on hold, an operator pauses."""
    scene = Lately()
    scene.offer(0, AUDIO, AUDIO, metadata=metadata.write("1", ["sip:carol@example.com", "sip:dave@example.com"]))
    for leg, frequency in enumerate(TONES):
        codes = encode("PCMU", tone(frequency, SECONDS)).reshape(-1, 160)
        for index, datagram in enumerate(stream(codes, ssrc=7 + leg)):
            at_ms = 20 * index
            if not (
                HELD_MS[0] <= at_ms < HELD_MS[1] or PAUSED_MS[0] <= at_ms < PAUSED_MS[1] or (leg == 0 and index in LOST)
            ):
                scene.rtp(at_ms, leg, datagram)
    for sequence in range(3):
        key = struct.pack(">BBHII", 0x80, 101, 100 + sequence, 16_000, 7) + bytes([5, 0x8A, 3, 32])
        scene.rtp(2500 + sequence, 0, key)
    scene.offer(HELD_MS[0], HELD, HELD)
    scene.offer(HELD_MS[1], AUDIO, AUDIO)
    for at_ms, act in zip(PAUSED_MS, ("pause", "resume"), strict=True):
        scene.datagram(at_ms, info("1@example.com", str(Note(act, "user:jan"))), RECORDER, RECORDER)
    scene.bye(1000 * SECONDS)
    return scene.write(path)


@pytest.fixture(scope="module")
def recording(site: Site, tmp_path_factory: pytest.TempPathFactory) -> str:
    site.recorder.run("import", str(happening(tmp_path_factory.mktemp("player") / "happening.pcap")))
    (row,) = [row for row in site.recorder.listed() if row["caller"] == "sip:carol@example.com"]
    assert row["state"] == "ready"
    engine = connect(f"sqlite:///{site.recorder.data / 'recordings.sqlite'}")
    with writing(engine) as session:
        heard = {"state": NoticeState.HEARD, "purpose": "training", "second": 6.0, "channel": 1}
        session.merge(Notice(recording_id=row["id"], place=0, **heard))
    engine.dispose()
    return str(row["id"])


def at(page: Page) -> float:
    return float(page.locator("call-player audio").evaluate("audio => audio.currentTime"))


def colours(player: Locator) -> list[int]:
    """Of each lane of the waveform, how many dots have its own colour."""
    counts: list[int] = player.locator("canvas").evaluate(COLOURS)
    return counts


def test_the_waveform_shows_both_lanes_and_the_marks_lead_to_what_happened(
    browser: Browser, site: Site, recording: str, walk: Walk
):
    with visiting(browser, site, **walk.browser) as visitor:
        visitor.sign_in(walk.user)
        page, say = visitor.go(f"/recordings/{recording}", "recording-happening"), visitor.say
        player = page.locator("call-player")
        marks = player.locator(".marks button")
        expect(marks).to_have_text(
            [
                f"0:01 {say('Loss')} 0.20 s",
                f"0:02 {say('Key')} 5",
                f"0:04 {say('Hold')} 4.0 s",
                f"0:04 {say('Hold')} 4.0 s",
                f"0:06 {say('Notice')} training",
                f"0:09 {say('Paused')} 0.5 s, user:jan",
            ]
        )
        assert all(count > 500 for count in colours(player)), colours(player)
        expect(page.locator("dl")).to_contain_text("0:09, 0.5 s (user:jan)")
        marks.nth(5).click()
        assert at(page) == pytest.approx(8.0, abs=0.05), "a second before"
        assert player.locator("canvas").evaluate(NOTICE) > 0, "a tick in the colour of what is good"
        box = player.locator("canvas").bounding_box()
        assert box
        player.locator("canvas").click(position={"x": box["width"] / 4, "y": 10})
        assert at(page) == pytest.approx(SECONDS / 4, abs=0.1)
        player.focus()
        page.keyboard.press("ArrowRight")
        assert at(page) == pytest.approx(SECONDS / 4 + 5, abs=0.1)
        page.keyboard.press("ArrowLeft")
        assert at(page) == pytest.approx(SECONDS / 4, abs=0.1)


def test_channels_are_heard_apart_muted_and_turned_down_and_speed_and_silence_do_as_they_say(
    browser: Browser, site: Site, recording: str, walk: Walk
):
    with visiting(browser, site, **walk.browser) as visitor:
        visitor.sign_in(walk.user)
        page, say = visitor.go(f"/recordings/{recording}"), visitor.say
        player, audio = page.locator("call-player"), page.locator("call-player audio")
        player.focus()
        page.keyboard.press(" ")
        expect(player.get_by_role("button", name=say("Pause"), exact=True)).to_be_visible()
        for channel, wanted in enumerate(TONES):
            loudest = player.evaluate(LOUDEST.replace("CHANNEL", str(channel)))
            assert loudest == pytest.approx(wanted, abs=15)
        page.keyboard.press("2")
        mute = player.get_by_role("button", name=f"{say('Mute')} dave@example.com")
        expect(mute).to_have_attribute("aria-pressed", "true")
        player.get_by_label(f"{say('Volume')} carol@example.com").fill("0.5")
        assert player.evaluate("player => player.gains.map((gain) => gain.gain.value)") == [0.5, 0]
        player.get_by_label(say("Speed")).select_option("2")
        assert audio.evaluate("audio => audio.playbackRate") == 2
        page.keyboard.press("[")
        player.focus()
        page.keyboard.press("[")
        assert audio.evaluate("audio => audio.playbackRate") == 1.5
        player.get_by_label(say("Skip silence")).check()
        audio.evaluate(FOLLOW)
        until(lambda: at(page) > 8.2, lambda: f"it is at {at(page)}")
        places = np.array(page.evaluate("places"))
        assert not ((places > 4.6) & (places < 7.5)).any(), "the hold is skipped"
        expect(player.get_by_role("button", name=say("Play"), exact=True)).to_be_visible(timeout=60_000)
