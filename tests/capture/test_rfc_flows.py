"""The call flows of RFC 7865, 7866 and 8068 with a running recorder: what recordings they become, who is in them."""

import struct
from collections import defaultdict

import pytest
from support.archive import details
from support.phone import Phone
from support.recorder import Recorder, Recorders
from support.rfc_flows import FLOWS

from srs.siprec.sdp import parse

PACKETS = 5


def user(aor: str) -> str:
    return " + ".join(each.removeprefix("sip:").partition("@")[0] for each in aor.split(" + "))


def speak(phone: Phone, sdp: bytes, sequence: int) -> None:
    """A tenth of a second of G.711 silence to each audio line."""
    for line in parse(sdp).media:
        for number in range(sequence, sequence + PACKETS) if line.kind == "audio" else ():
            head = struct.pack("!BBHII", 0x80, 0, number, 160 * number, line.port)
            phone.socket.sendto(head + b"\xff" * 160, (phone.recorder.host, line.port))


def play(recorder: Recorder, flow) -> str:
    """Play a flow; returns its Call-ID."""
    phone = Phone(recorder)
    with phone.socket:
        for number, step in enumerate(flow.steps, start=1):
            content_type, body = step.body()
            answer = phone.ask(step.method, number, "Require: siprec", body=body, content_type=content_type)
            assert answer.code == 200, answer.start_line
            if step.offer:
                assert len(parse(answer.body).media) == step.offer.count("m=")
                speak(phone, answer.body, number * PACKETS)
        if flow.steps[-1].method != "BYE":
            assert phone.ask("BYE", len(flow.steps) + 1).code == 200
        return phone.call_id


@pytest.fixture(scope="module")
def recorded(recorders: Recorders):
    """All flows on one recorder: the facts of the recordings of each."""
    recorder = recorders.lend()
    names = {play(recorder, flow): name for name, flow in FLOWS.items()}
    found = defaultdict(list)
    recorder.recordings(sum(len(flow.recordings) for flow in FLOWS.values()))
    for shown in details(recorder):
        found[names[shown["call_id"]]].append(shown)
    return found


@pytest.mark.parametrize("name", FLOWS)
def test_recordings_and_who_is_in_them(recorded, name):
    flow = FLOWS[name]
    calls = sorted(recorded[name], key=lambda shown: [user(leg["aor"]) for leg in shown["legs"]])
    assert [tuple(user(leg["aor"]) for leg in shown["legs"]) for shown in calls] == list(flow.recordings)
    for shown, spoke in zip(calls, flow.spoke, strict=True):
        assert shown["state"] == "ready"
        assert shown["facts"]["problems"] == []
        told = sorted((each["label"], user(each["aor"])) for each in shown["facts"]["participants"])
        assert told == sorted((label, who) for label, who, _, _ in spoke)
        assert all(leg["packets"] and leg["codec"] == "PCMU" for leg in shown["legs"])
