"""The same calls made by sipp, an independent client, with the scenarios of captures/."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.heard import samples
from support.lateness import Lateness
from support.recorder import Recorder, until
from support.sipp import TONES_HZ, dominant_hz, make_media, needs_sipp, sipp

pytestmark = needs_sipp


@pytest.fixture
def media(tmp_path: Path) -> Path:
    return make_media(tmp_path)


@contextlib.contextmanager
def wire(recorder: Recorder, capture: Path) -> Iterator[None]:
    """Captures what passes the recorder's SIP port, with the kernel's clock."""
    command = ["tshark", "-q", "-i", "lo", "-f", f"port {recorder.port}", "-w", str(capture)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        until(lambda: "Capturing" in process.stderr.readline(), lambda: "tshark does not start")
        time.sleep(0.5)
        yield
        time.sleep(1.0)
        process.terminate()


def session_lengths(recorder: Recorder, capture: Path) -> dict[str, float]:
    """Seconds from the 200 to the BYE of each call, as they passed the wire."""
    fields = ["frame.time_epoch", "sip.Call-ID", "sip.CSeq.method", "sip.Status-Code"]
    command = [
        "tshark",
        "-r",
        str(capture),
        "-d",
        f"tcp.port=={recorder.port},sip",
        "-d",
        f"udp.port=={recorder.port},sip",
    ]
    command += ["-Y", "sip", "-T", "fields", *(word for name in fields for word in ("-e", name))]
    table = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    answered: dict[str, float] = {}
    ended: dict[str, float] = {}
    for line in table.splitlines():
        time_epoch, call_ids, methods, codes = line.split("\t")
        # Several messages in one segment: tshark lists the codes of the responses only
        status = iter(codes.split(","))
        for call_id, method in zip(call_ids.split(","), methods.split(","), strict=True):
            if method == "INVITE" and codes and next(status) == "200":
                answered.setdefault(call_id, float(time_epoch))
            elif method == "BYE":
                ended.setdefault(call_id, float(time_epoch))
    return {call_id: ended[call_id] - answered[call_id] for call_id in answered}


@pytest.mark.parametrize("transport", ["u1", "t1", "tn"])
def test_twenty_calls_at_once(recorder, media: Path, transport: str) -> None:
    """One UDP socket, one TCP connection for all dialogs, and one connection for each."""
    capture = media.with_name("wire.pcap")
    with wire(recorder, capture), Lateness() as lateness:
        sipp(recorder, "two_legs", media, 20, "-r", "20", "-l", "20", "-d", "2500", "-t", transport)
    recordings = recorder.recordings(20)
    lengths = session_lengths(recorder, capture)
    assert {recording["call_id"] for recording in recordings} == lengths.keys()
    assert len(lengths) == 20
    off_s = [abs(recording["duration_s"] - lengths[recording["call_id"]]) for recording in recordings]
    assert float(np.median(off_s)) <= 0.02 + 2 * lateness.longest_s
    assert max(off_s) < 1.0, "a busy machine looks at some late, but not at most"
    for recording in recordings:
        assert recording["state"] == "ready"
        assert [leg["packets"] for leg in recording["legs"]] == [100, 100]
        assert recording["legs"][0]["aor"].startswith("sip:+3120")
        sound = samples(recording["file"])
        assert sound.shape == (round(recording["duration_s"] * 8000), 2)
        assert [dominant_hz(sound[4000:12000, leg]) for leg in (0, 1)] == list(TONES_HZ)


def test_pause_and_resume(recorder, media: Path) -> None:
    """sipp sends on while paused: what comes then is not heard, and the pause is as long as it was."""
    with Lateness() as lateness:
        sipp(recorder, "pause_resume", media, 1)
    (recording,) = recorder.recordings(1)
    assert recording["duration_s"] == pytest.approx(3.0, abs=0.05 + 2 * lateness.longest_s)
    sound = samples(recording["file"])
    assert dominant_hz(sound[800:7200, 0]) == pytest.approx(TONES_HZ[0], abs=2)
    assert not sound[8400:15600].any()
