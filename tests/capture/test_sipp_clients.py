"""Families of clients as sipp scenarios, made for real: what is recorded, and who is on it."""

import json
import threading
from pathlib import Path

import pytest
from support.heard import samples
from support.sipp import dominant_hz, make_media, needs_sipp, sipp

pytestmark = needs_sipp

CALLER_HZ = 440


@pytest.fixture
def one_leg(tmp_path: Path) -> Path:
    """Media of which only the first leg counts: the scenarios have one line."""
    return make_media(tmp_path)


def test_the_two_calls_of_a_cisco_phone_are_one_recording(recorder, one_leg):
    sides = [
        threading.Thread(target=sipp, args=(recorder, "cisco_bib", one_leg, 1, "-d", "2500", "-key", "side", side))
        for side in ("near", "far")
    ]
    for side in sides:
        side.start()
    for side in sides:
        side.join()
    (recording,) = recorder.recordings(1)
    assert [leg["aor"] for leg in recording["legs"]] == ["sip:7001", "sip:7002"]
    assert recording["session_id"] == "27298698-27298699"
    for channel in (0, 1):
        assert dominant_hz(samples(recording["file"])[8000:16000, channel]) == pytest.approx(CALLER_HZ, abs=2)
    (found,) = [json.loads(line) for line in recorder.run("list", "--json", "--id", "27298699").splitlines()]
    assert found["id"] == recording["id"]


def test_broadworks_pauses_by_address(recorder, one_leg):
    sipp(recorder, "broadworks", one_leg, 1, "-d", "500")
    (recording,) = recorder.recordings(1)
    (leg,) = recording["legs"]
    assert leg["aor"] == "sip:1001@example.com + sip:1002@example.com"
    shown = recorder.shown(recording["id"])
    ((since, _),) = shown["leg_facts"][0]["pauses"]
    assert since == pytest.approx(1.0, abs=0.4)
    assert dominant_hz(samples(recording["file"])[1600:6400, 0]) == pytest.approx(CALLER_HZ, abs=5)
    assert not samples(recording["file"])[round(8000 * since) + 800 :, 0].any()
    assert {"kind": "broadworks-tracking-id", "value": "10:1"} in shown["identifiers"]


def test_a_conference_bridge_calls_the_recorder(start_recorder, one_leg):
    recorder = start_recorder(SRS_PEER=json.dumps([{"name": "bridge", "recognition": "plain"}]))
    sipp(recorder, "conference_in", one_leg, 1, "-d", "2200")
    (recording,) = recorder.recordings(1)
    (leg,) = recording["legs"]
    assert leg["aor"].startswith("sip:conference@")
    assert leg["name"] == "Board room"
    assert dominant_hz(samples(recording["file"])[4000:12000, 0]) == pytest.approx(CALLER_HZ, abs=2)
