"""sipp, an independent client, with the scenarios of captures/; and what its tones became."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.recorder import Recorder

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "captures" / "sipp"
TONES_HZ = (440, 620)

needs_sipp = [
    pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is missing: apt-get install sip-tester"),
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is missing: apt-get install tshark"),
    pytest.mark.skipif(os.geteuid() != 0, reason="sipp plays media through raw sockets, which needs root"),
]


def make_media(folder: Path) -> Path:
    """Two legs of 2 s, a tone each."""
    out = folder / "legs.pcap"
    subprocess.run([sys.executable, str(ROOT / "captures" / "legs_pcap.py"), str(out), "2"], check=True)
    return out


def sipp(recorder: Recorder, scenario: str, media: Path, calls: int, *options: str) -> None:
    command = ["sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-key", "media", str(media), "-m", str(calls)]
    limits = ["-timeout", "40", "-timeout_error", "-max_socket", "1000"]
    command += ["-i", recorder.host, "-mi", recorder.host, "-nostdin", *limits, *options]
    done = subprocess.run(
        [*command, f"{recorder.host}:{recorder.port}"], cwd=media.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def dominant_hz(samples: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * 8000 / len(samples))
