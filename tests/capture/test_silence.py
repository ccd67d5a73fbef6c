"""Alarms and metrics of a running recorder."""

import re
import time
import urllib.request
from types import SimpleNamespace

import pytest
from support.calls import Talk, call, make_plan
from support.recorder import Recorder, Recorders, free_port, udp, until

from rtp.send import Impairment
from srs import control
from srs.alarms import Alarms
from srs.capture.quality import Limits
from srs.capture.silence import SilenceWatch
from srs.control import Order
from srs.siprec.sdp import parse
from srs.siprec.src import CallFailed

LONGEST_S = 60.0


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    listen = f"127.0.0.1:{free_port('127.0.0.1')}"
    return {"SRS_ALARMS__NO_AUDIO_S": "3", "SRS_ALARMS__ONE_WAY_S": "4", "SRS_METRICS__LISTEN": listen}


@pytest.fixture
def recorder(recorders: Recorders, settings: dict[str, str]) -> Recorder:
    return recorders.lend(**settings)


def metrics(recorder: Recorder) -> dict[str, float]:
    with urllib.request.urlopen(f"http://{recorder.environment['SRS_METRICS__LISTEN']}/metrics") as answer:
        lines = [line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def stop(recorder: Recorder, running: Talk) -> None:
    """Have the recorder hang up."""
    (capture,) = recorder.captures()
    control.ask(recorder.data, Order("stop", capture.stem, "test"))
    with pytest.raises(CallFailed, match="hung up"):
        running.outcomes()


def test_a_call_without_audio(recorder: Recorder) -> None:
    mute = make_plan(recorder, LONGEST_S, impairment=Impairment(loss=1.0))
    running = Talk(mute)
    until(lambda: metrics(recorder)['srs_alarms{alarm="no-audio"}'] == 1, recorder.log.read_text)
    stop(recorder, running)
    until(lambda: metrics(recorder)['srs_alarms{alarm="no-audio"}'] == 0, recorder.log.read_text)
    assert "one-way" not in recorder.log.read_text()


def test_a_call_with_one_mute_party(recorder: Recorder) -> None:
    """Only the first leg sends on: this test does it, at a tenth of the usual pace."""
    mute = make_plan(recorder, LONGEST_S, impairment=Impairment(loss=1.0))
    running = Talk(mute)
    until(lambda: "event=recording" in recorder.log.read_text(), recorder.log.read_text)
    port = int(re.search(r"ports=\"\{0: (\d+)", recorder.log.read_text())[1])
    with udp(recorder.host) as sender:
        while metrics(recorder)['srs_alarms{alarm="one-way-audio"}'] != 1:
            assert running.running, recorder.log.read_text()
            sender.sendto(bytes([0x80, 0, *range(170)]), (recorder.host, port))
            time.sleep(0.2)
        stop(recorder, running)
    until(lambda: metrics(recorder)['srs_alarms{alarm="one-way-audio"}'] == 0, recorder.log.read_text)
    assert "no-audio" not in recorder.log.read_text()


def test_what_metrics_count(recorder: Recorder) -> None:
    before = metrics(recorder)
    call(make_plan(recorder, 2.5))
    recorder.recordings(1)
    packets = 'srs_packets_total{worker="capture-0"}'
    until(lambda: metrics(recorder)[packets] >= before.get(packets, 0) + 250, recorder.log.read_text)
    found = metrics(recorder)
    assert found["srs_calls_total"] == before.get("srs_calls_total", 0) + 1
    assert found["srs_calls_running"] == 0
    assert found['srs_captures{state="open"}'] == 0
    assert found["srs_disk_free_bytes"] > 0
    assert found['srs_dropped_total{worker="capture-0"}'] == 0
    assert "alarm" not in recorder.log.read_text().replace("alarms", "")


def test_a_resumed_stream_has_its_time() -> None:
    alarms = Alarms()
    watch = SilenceWatch(Limits(no_audio_s=10, one_way_s=30), alarms)
    sdp = "v=0\nm=audio 16384 RTP/AVP 0\na={}\n"
    running = SimpleNamespace(recording="r", call_id="c", answer=parse(sdp.format("inactive").encode()))
    watch.on_report("capture-0", {"r": {"16384": 100.0}}, [running], 1000.0)
    running.answer = parse(sdp.format("recvonly").encode())
    watch.on_report("capture-0", {"r": {"16384": 102.0}}, [running], 1002.0)
    watch.on_report("capture-1", {}, [running], 1002.5)
    assert alarms.active()["no-audio"] == 0
    watch.on_report("capture-0", {"r": {"16384": 112.0}}, [running], 1012.0)
    assert alarms.active()["no-audio"] == 1
    watch.on_report("capture-0", {}, [running], 1013.0)
    assert alarms.active()["no-audio"] == 0


def test_the_alarm_ends_with_the_call() -> None:
    alarms = Alarms()
    watch = SilenceWatch(Limits(no_audio_s=10, one_way_s=30), alarms)
    answer = parse(b"v=0\nm=audio 16384 RTP/AVP 0\na=recvonly\n")
    running = SimpleNamespace(recording="r", call_id="c", answer=answer)
    watch.on_report("capture-0", {"r": {"16384": 10.0}}, [running], 1000.0)
    assert alarms.active()["no-audio"] == 1
    watch.on_report("capture-0", {"r": {"16384": 11.0}}, [], 1001.0)
    assert alarms.active()["no-audio"] == 0
