"""Plain calls of pjsua2, an independent user agent, over UDP and TCP: its sound in the recording."""

import importlib.util
import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from support.calls import noise

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pjsua2") is None, reason="pjsua2 is missing: pip install pjsua2-python (Python < 3.13)"
)
TESTS = Path(__file__).parents[1]
SECONDS = 3


def write_wav(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, len(samples), "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_sound_of_a_plain_call_is_recorded(start_recorder, tmp_path, transport):
    recorder = start_recorder(SRS_PEER=json.dumps([{"name": "phone", "recognition": "plain"}]))
    spoken, wav = noise(5, 2.0), tmp_path / "spoken.wav"
    write_wav(wav, spoken)
    command = [
        sys.executable,
        "-m",
        "support.pjsua",
        transport,
        recorder.host,
        str(recorder.port),
        str(wav),
        str(SECONDS),
    ]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (recording,) = recorder.recordings(1)
    (leg,) = recording["legs"]
    assert (leg["name"], leg["codec"]) == ("Ann", "PCMU")
    assert leg["aor"] == f"sip:ann@{recorder.host}"
    with wave.open(recording["file"]) as file:
        heard = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    # Noise is like itself in one place only: where its second half second stands tells where all of it does.
    piece = spoken[4000:8000].astype(float)
    likeness = np.correlate(heard, piece, "valid") / (np.linalg.norm(piece) ** 2)
    assert likeness.max() == pytest.approx(1.0, abs=0.1)
