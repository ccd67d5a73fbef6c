"""The same calls made by sipp, an independent client, with the scenarios of captures/."""

import os
import re
import shutil
import subprocess
import sys
import wave
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "captures" / "sipp"
TONES_HZ = (440, 620)

pytestmark = [
    pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is missing: apt-get install sip-tester"),
    pytest.mark.skipif(os.geteuid() != 0, reason="sipp plays media through raw sockets, which needs root"),
]


@pytest.fixture
def media(tmp_path: Path) -> Path:
    out = tmp_path / "legs.pcap"
    subprocess.run([sys.executable, str(ROOT / "captures" / "legs_pcap.py"), str(out), "2"], check=True)
    return out


def sipp(recorder, scenario: str, media: Path, calls: int, *options: str) -> None:
    command = ["sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-key", "media", str(media), "-m", str(calls)]
    command += [
        "-i",
        recorder.host,
        "-mi",
        recorder.host,
        "-timeout",
        "40",
        "-timeout_error",
        "-nostdin",
        "-max_socket",
        "1000",
        *options,
    ]
    command += ["-trace_msg", "-message_file", str(media.with_name("messages.log"))]
    done = subprocess.run(
        [*command, f"{recorder.host}:{recorder.port}"], cwd=media.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def session_lengths(trace: str) -> dict[str, float]:
    """Seconds from the 200 to the BYE of each call, by sipp's own clock."""
    moments: dict[str, dict[str, float]] = {}
    for entry in re.split(r"^-{20,} ", trace, flags=re.MULTILINE)[1:]:
        when = datetime.fromisoformat(entry.split("\n", 1)[0].strip().replace("\t", " ")[:26])
        call_id = re.search(r"^Call-ID: (\S+)", entry, re.MULTILINE)
        for name, pattern in (("answered", r"^SIP/2.0 200 .*^CSeq: 1 INVITE"), ("ended", r"^BYE ")):
            if call_id and re.search(pattern, entry, re.MULTILINE | re.DOTALL):
                moments.setdefault(call_id[1], {}).setdefault(name, when.timestamp())
    return {call_id: each["ended"] - each["answered"] for call_id, each in moments.items()}


def dominant_hz(samples: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * 8000 / len(samples))


@pytest.mark.parametrize("transport", ["u1", "t1", "tn"])
def test_twenty_calls_at_once(recorder, media: Path, transport: str) -> None:
    """One UDP socket, one TCP connection for all dialogs, and one connection for each."""
    sipp(recorder, "two_legs", media, 20, "-r", "20", "-l", "20", "-d", "2500", "-t", transport)
    recordings = recorder.recordings(20)
    lengths = session_lengths(media.with_name("messages.log").read_text())
    assert {recording["call_id"] for recording in recordings} == lengths.keys()
    assert len(lengths) == 20
    for recording in recordings:
        assert recording["state"] == "ready"
        assert recording["duration_s"] == pytest.approx(lengths[recording["call_id"]], abs=0.02)
        assert [leg["packets"] for leg in recording["legs"]] == [100, 100]
        assert recording["legs"][0]["aor"].startswith("sip:+3120")
        with wave.open(recording["file"]) as file:
            assert file.getnframes() == round(recording["duration_s"] * 8000)
            sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
        assert [dominant_hz(sound[4000:12000, leg]) for leg in (0, 1)] == list(TONES_HZ)


def test_pause_and_resume(recorder, media: Path) -> None:
    """sipp sends on while paused: what comes then is not heard, and the pause is as long as it was."""
    sipp(recorder, "pause_resume", media, 1)
    (recording,) = recorder.recordings(1)
    assert recording["duration_s"] == pytest.approx(3.0, abs=0.05)
    with wave.open(recording["file"]) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    assert dominant_hz(sound[800:7200, 0]) == pytest.approx(TONES_HZ[0], abs=2)
    assert not sound[8400:15600].any()
