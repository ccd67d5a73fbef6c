"""What is heard of a capture that grows, sample by sample, piece by piece as the recorder writes it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.scene import AUDIO, HELD, MS, START_NS, Scene, speech, stream

from rtp import pcap
from rtp.codecs import mu_law
from rtp.pcap import record
from srs.capture.events import HERE as RECORDER
from srs.capture.events import info
from srs.live.board import level
from srs.live.ear import RATE, Ear
from srs.live.window import Window
from srs.siprec.operator import Note

SECONDS = 6
WRITTEN_MS = 500
"""How often capture workers write."""
HEARD_MS = 700
"""How late it is heard."""


class Growing(Scene):
    """A scene whose capture is written as it happens."""

    def start(self, path: Path) -> Path:
        self.path = path
        path.write_bytes(pcap.HEADER)
        self._rest = sorted(self._records, key=lambda item: item[0])
        return path

    def until(self, ms: float) -> None:
        """Append what came until then."""
        due = [octets for time_ns, octets in self._rest if time_ns <= START_NS + ms * MS]
        self._rest = self._rest[len(due) :]
        with self.path.open("ab") as file:
            file.write(b"".join(due))


def hear(scene: Growing, path: Path, also: Callable[[int], None] = lambda ms: None) -> np.ndarray:
    """Listen from the beginning to the end: (samples, 2) at 48 kHz."""
    ear = Ear(scene.start(path))
    found = []
    for ms in range(0, 1000 * SECONDS + 2000, 20):
        if ms % WRITTEN_MS == 0:
            scene.until(ms)
            also(ms)
        if ms % 100 == 0:
            ear.hear(START_NS + ms * MS)
        found.append(ear.take(START_NS + (ms - HEARD_MS) * MS, RATE // 50))
    ear.close()
    return np.concatenate(found)


def talking(jitter_ms: float = 0.0, skip: Callable[[int], bool] = lambda ms: False) -> tuple[Growing, list[np.ndarray]]:
    """Two legs of noise, and what they sound like, 8 kHz."""
    scene, codes, chance = Growing(), [speech(SECONDS, seed) for seed in (1, 2)], np.random.default_rng(3)
    scene.offer(0, AUDIO, AUDIO)
    for leg, own in enumerate(codes):
        for index, datagram in enumerate(stream(own, ssrc=leg + 1)):
            if not skip(20 * index):
                scene.rtp(100 + 20 * index + chance.uniform(0, jitter_ms), leg, datagram)
    return scene, [mu_law()[own].astype(np.int16).reshape(-1) for own in codes]


def part(heard: np.ndarray, leg: int, truth: np.ndarray) -> tuple[np.ndarray, int]:
    """The leg at 8 kHz from where half a second of it is heard, and where that is in the truth."""
    own = heard[::6, leg]
    at = 8000
    begins = [s for s in np.flatnonzero(own == truth[at]) if np.array_equal(own[s : s + 800], truth[at : at + 800])]
    assert len(begins) == 1, "heard once, unbroken"
    return own[begins[0] :], at


def test_every_sample_is_heard_once_whatever_the_network_does(tmp_path: Path):
    scene, truth = talking(jitter_ms=15.0)
    heard = hear(scene, tmp_path / "a.pcap")
    for leg in (0, 1):
        own, at = part(heard, leg, truth[leg])
        length = len(truth[leg]) - at - 800  # of the last packets nobody knows yet that they are the last
        assert np.array_equal(own[:length], truth[leg][at : at + length])


def test_an_operators_pause_and_a_hold_are_silent_and_what_follows_is_heard(tmp_path: Path):
    scene, truth = talking(skip=lambda ms: 2500 <= ms < 3200)
    for at_ms, act in ((2600, "pause"), (3300, "resume")):
        scene.datagram(at_ms, info("1@example.com", str(Note(act, "user:a"))), RECORDER, RECORDER)
    scene.offer(4100, HELD, AUDIO)
    scene.offer(4600, AUDIO, AUDIO)
    own, at = part(hear(scene, tmp_path / "a.pcap"), 0, truth[0])
    expected = truth[0].copy()
    expected[8 * 2500 : 8 * 3200] = 0
    expected[8 * 4000 : 8 * 4500] = 0
    length = len(truth[0]) - at - 800
    assert np.array_equal(own[:length], expected[at : at + length])


def test_a_torn_record_costs_no_more_than_what_it_swallows(tmp_path: Path):
    scene, truth = talking()
    path = tmp_path / "a.pcap"

    def tear(ms: int) -> None:
        if ms == 2000:
            with path.open("ab") as file:
                file.write(record(b"\x80\x00" + bytes(170), ("127.0.0.1", 9), ("127.0.0.1", 9), START_NS)[:100])

    own, at = part(hear(scene, path, tear), 0, truth[0])
    length = len(truth[0]) - at - 800
    wrong = np.flatnonzero(own[:length] != truth[0][at : at + length])
    assert len(wrong) <= 160, "the packet that it swallowed"


def test_a_late_listener_hears_what_is_said_now_and_a_window_keeps_no_more_than_it_needs(tmp_path: Path):
    scene, _ = talking()
    path = scene.start(tmp_path / "a.pcap")
    scene.until(5000)
    window = Window(path)
    window.move(START_NS + 5000 * MS)
    (caller, callee) = window.sounds(START_NS + 4500 * MS, START_NS + 5000 * MS)
    assert (caller.codec, callee.codec) == ("PCMU", "PCMU")
    assert (caller.lost, callee.lost) == (0, 0)
    assert 95 <= caller.packets <= 101, "of two seconds"
    assert level(caller.samples) == pytest.approx(-9, abs=4)
    assert level(np.zeros(100, np.int16)) is None
    assert not window.is_over
    path.unlink()
    assert window.is_over
    window.close()
