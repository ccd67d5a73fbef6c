"""The self test: on a running recorder, and with a link of the chain broken."""

import io
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.recorder import SRS, Recorder

from srs import selftest
from srs.archive import audio
from srs.archive.database import connect
from srs.archive.store import open_store
from srs.archive.tables import Recording
from srs.config import Settings
from srs.selftest import Broken, Trial


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    (tmp_path / "data").mkdir()  # empty: the recorder makes all that it needs
    running = Recorder(tmp_path / "data", "127.0.0.1", {})
    yield running
    if running.process.poll() is None:
        running.stop()


def run(recorder: Recorder) -> tuple[int, list[str]]:
    command = [*SRS, "selftest", "--data", str(recorder.data)]
    done = subprocess.run(command, env=recorder.environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


def test_every_link_holds_and_nothing_is_left_then_without_a_recorder_the_call_fails(recorder: Recorder):
    status, lines = run(recorder)
    assert [line.split(maxsplit=1) for line in lines] == [["ok", link] for link in selftest.LINKS]
    assert status == 0
    [row] = [json.loads(line) for line in recorder.run("list", "--json").splitlines()]
    assert (row["state"], row["file"]) == ("deleted", None)
    assert list((recorder.data / "audio").rglob("*.wav")) == []
    recorder.stop()
    over_udp = recorder.environment["SRS_SIP__LISTEN"]
    recorder.environment["SRS_SIP__LISTEN"] = over_udp[over_udp.index("tcp:") :]  # refused at once
    status, lines = run(recorder)
    assert status == 1
    assert lines[0].startswith("FAIL call: no call to ")  # what was logged is no part of the answer


def wav(*tones_hz: float) -> bytes:
    time = np.arange(16000) / 8000
    samples = np.stack([8000 * np.sin(2 * np.pi * hz * time) for hz in tones_hz], axis=1).astype(np.int16)
    file = io.BytesIO()
    audio.write(file, "wav", [samples], len(tones_hz), 8000, {})
    return file.getvalue()


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Callable[[bytes], Trial]]:
    engine = connect(f"sqlite:///{tmp_path}/recordings.sqlite")
    store = open_store((tmp_path / "audio").as_uri())

    def make(sound: bytes) -> Trial:
        store.put("a.wav", io.BytesIO(sound))
        found = Trial(Settings(data_dir=tmp_path), engine, store)
        found.row = Recording(id="a", state="ready", file="a.wav", format="wav", duration_s=2.0)
        return found

    yield make
    engine.dispose()


def test_both_tones_are_heard(trial: Callable[[bytes], Trial]):
    selftest._listen(trial(wav(440, 620)))


@pytest.mark.parametrize(
    ("tones", "said"),
    [
        ((620, 440), "leg 1: a tone of 440 Hz was sent, 620 Hz is heard"),
        ((440, 440), "leg 2: a tone of 620 Hz was sent, 440 Hz is heard"),
        ((440, 0), "leg 2: a tone of 620 Hz was sent, 0 Hz is heard"),
    ],
)
def test_a_leg_that_is_not_heard_is_named(trial: Callable[[bytes], Trial], tones: tuple[float, float], said: str):
    with pytest.raises(Broken, match=said):
        selftest._listen(trial(wav(*tones)))


def test_the_first_broken_link_is_the_last_that_is_tried(trial: Callable[[bytes], Trial], monkeypatch):
    def hold(_: Trial) -> None:
        return

    def fail(_: Trial) -> None:
        raise Broken("no sound")

    monkeypatch.setattr(selftest, "LINKS", {"call": hold, "sound": fail, "mail": hold})
    assert list(selftest.run(trial(wav(440, 620)))) == [("call", None), ("sound", "no sound")]
