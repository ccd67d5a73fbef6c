"""A capture file is an ordinary pcap: tshark shows the SIP call and its RTP streams."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from support.calls import Talk, make_plan
from support.recorder import Recorders

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is missing: apt-get install tshark")
CHECKS = ("-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE")


def tshark(capture: Path, *options: str) -> str:
    command = ["tshark", "-r", str(capture), *CHECKS, *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(("host", "transport"), [("127.0.0.1", "UDP"), ("::1", "TCP")])
def test_tshark_reads_a_capture(recorders: Recorders, tmp_path: Path, host: str, transport: str) -> None:
    recorder = recorders.lend(host)
    talk = Talk(make_plan(recorder, 2.5, transport=transport))
    time.sleep(2.0)
    (living,) = recorder.captures()
    capture = Path(shutil.copy(living, tmp_path / "copy.pcap"))
    talk.outcomes()

    calls = tshark(capture, "-Y", "sip", "-T", "fields", "-e", "sip.Method", "-e", "sip.Status-Code").split()
    assert calls[0] == "INVITE"
    assert "200" in calls
    assert "ACK" in calls
    streams = [line for line in tshark(capture, "-q", "-z", "rtp,streams").splitlines() if "g711U" in line]
    assert len(streams) == 2
    for line in streams:
        assert " 0 (0.0%)" in line  # nothing lost
    assert tshark(capture, "-Y", "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0") == ""
    labels = tshark(capture, "-Y", "sip.Status-Code == 200", "-T", "fields", "-e", "sdp.media_attr")
    assert "label:1" in labels
    assert "recvonly" in labels
