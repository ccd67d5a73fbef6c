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
from support.heard import samples
from support.recorder import Recorder, Recorders
from support.speech import needs_voice, say

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pjsua2") is None, reason="pjsua2 is missing: pip install pjsua2-python (Python < 3.13)"
)
TESTS = Path(__file__).parents[1]
SECONDS = 3


@pytest.fixture
def recorder(recorders: Recorders) -> Recorder:
    return recorders.lend(SRS_PEER=json.dumps([{"name": "phone", "recognition": "plain", "keys_in_clear": True}]))


def write_wav(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, len(samples), "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())


def record(recorder: Recorder, tmp_path: Path, spoken: np.ndarray, *options: str, transport: str = "udp"):
    """Have pjsua2 call and speak; gives the recording and its sound."""
    wav = tmp_path / "spoken.wav"
    write_wav(wav, spoken)
    command = [sys.executable, "-m", "support.pjsua", transport, recorder.host, str(recorder.port), str(wav)]
    done = subprocess.run(
        [*command, str(SECONDS), *options], cwd=TESTS, capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (recording,) = recorder.recordings(1)
    return recording, samples(recording["file"])[:, 0]


def likeness(heard: np.ndarray, spoken: np.ndarray) -> float:
    """Noise is like itself in one place only: where its second half second stands tells where all of it does."""
    piece = spoken[4000:8000].astype(float)
    return float((np.correlate(heard.astype(float), piece, "valid") / (np.linalg.norm(piece) ** 2)).max())


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_sound_of_a_plain_call_is_recorded(recorder, tmp_path, transport):
    spoken = noise(5, 2.0)
    recording, heard = record(recorder, tmp_path, spoken, transport=transport)
    (leg,) = recording["legs"]
    assert (leg["name"], leg["codec"]) == ("Ann", "PCMU")
    assert leg["aor"] == f"sip:ann@{recorder.host}"
    assert likeness(heard, spoken) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("suite", ["AES_256_CM_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_32"])
def test_srtp_of_256_bits(recorder, tmp_path, suite):
    """Which libsrtp, as Python has it, does not know."""
    spoken = noise(5, 2.0)
    recording, heard = record(recorder, tmp_path, spoken, "PCMU/8000", suite)
    facts = recorder.shown(recording["id"])["leg_facts"][0]
    assert (facts["srtp"], facts["forged"]) == (suite, 0)
    assert likeness(heard, spoken) == pytest.approx(1.0, abs=0.1)


@needs_voice
@pytest.mark.parametrize("milliseconds", [20, 30])
def test_ilbc(recorder, tmp_path, milliseconds):
    """By the encoder of RFC 3951, which pjproject brings."""
    spoken = say("The quick brown fox jumps over the lazy dog.", "en")[:16_000]
    recording, heard = record(recorder, tmp_path, spoken, "iLBC", "", str(milliseconds))
    facts = recorder.shown(recording["id"])["leg_facts"][0]
    assert (facts["codecs"], facts["damaged"]) == (["ILBC"], 0)
    assert 1000 * facts["seconds"] / facts["packets"] == milliseconds
    piece = spoken[6000:14_000].astype(float)
    at = int(np.argmax(np.correlate(heard.astype(float), piece, "valid")))
    error = heard[at : at + len(piece)] - piece
    assert 10 * np.log10((piece**2).sum() / (error**2).sum()) > 4
