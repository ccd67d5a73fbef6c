"""The ring of refusals, and how the doctor explains them."""

import asyncio
import time

import pytest
from support.phone import SDP, Phone
from support.recorder import until

from srs.capture import refusals
from srs.capture.refusals import MOST, Refusals, Refused
from srs.commands.explain import RULES, call_id_of, choose, explain

INVITE = """\
INVITE sip:srs@example.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
From: <sip:sbc@example.com>;tag=1
To: <sip:srs@example.com>
Call-ID: {}
CSeq: 1 INVITE
Contact: <sip:sbc@192.0.2.1>
Content-Length: 0

""".replace("\n", "\r\n")


def refused(status=403, reason="only recording sessions", call_id="c1", message=None):
    return Refused(10**18, "192.0.2.1:5060", "UDP", status, reason, message or INVITE.format(call_id))


def test_the_newest_are_kept_across_processes_and_written_together(tmp_path, monkeypatch):
    monkeypatch.setattr(refusals, "PAUSE_S", 0.05)
    writes = []
    write = refusals._write
    monkeypatch.setattr(refusals, "_write", lambda *arguments: (writes.append(1), write(*arguments)))

    async def note(first, count):
        ring = Refusals(tmp_path)
        for number in range(first, first + count):
            ring.note(INVITE.format(number).encode(), "192.0.2.1:5060", "TCP", 403, "no", number)
        await asyncio.sleep(0.5)

    asyncio.run(note(0, 40))
    asyncio.run(note(40, 40))
    kept = refusals.read(tmp_path)
    assert [each.time_ns for each in kept] == list(range(80 - MOST, 80))
    assert call_id_of(kept[-1]) == "79"
    assert len(writes) == 2
    assert refusals.path(tmp_path).stat().st_mode & 0o077 == 0


def test_a_damaged_file_is_none(tmp_path):
    refusals.path(tmp_path).write_text('{"time_ns": 1}\n')
    assert refusals.read(tmp_path) == []


def test_octets_of_any_value_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr(refusals, "PAUSE_S", 0.0)

    async def note():
        Refusals(tmp_path).note(bytes(range(256)) * 100, "s", "UDP", 400, "no", 1)
        await asyncio.sleep(0.3)

    asyncio.run(note())
    (kept,) = refusals.read(tmp_path)
    assert kept.message.encode("latin-1") == (bytes(range(256)) * 100)[: refusals.LONGEST]
    assert any("no SIP request" in line for line in explain(kept))


def test_a_challenge_is_chosen_only_if_there_is_nothing_else():
    challenge, real, other = refused(401, "Unauthorized"), refused(), refused(call_id="c2")
    assert choose([other, real, challenge], None) is real
    assert choose([challenge], None) is challenge
    assert choose([real, other], "c1") is real
    assert choose([real], "c3") is None


def test_what_came_and_what_to_change():
    text = "\n".join(explain(refused()))
    for part in (
        "UDP from 192.0.2.1:5060",
        "INVITE sip:srs@example.com",
        "Contact: <sip:sbc@192.0.2.1>",
        "403 only",
        "Enable SIPREC",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("status", "reason", "word"),
    [
        (400, "SDP: no m-line", "session description"),
        (400, "body of 3 octets, Content-Length says 9", "TCP"),
        (403, "192.0.2.1 is not in [sip] allow", "[sip] allow"),
        (403, "no [[peer]] fits 192.0.2.1, sip:a", "docs/peers.md"),
        (403, "only recording sessions (RFC 7866) are taken here", "no mark"),
        (403, "only recording sessions (RFC 7866) are taken here: [[peer]] x is strict", 'recognition = "relaxed"'),
        (403, "[[peer]] x demands TLS", "over TLS"),
        (403, "Wrong User or Password", "user and password"),
        (420, "Bad Extension", "100rel"),
        (488, "[[peer]] x demands SRTP", "SRTP"),
        (488, "no stream of the offer can be recorded", "m=audio"),
        (503, "cannot record: No space left on device", "disk"),
        (599, "Whatever", "report"),
    ],
)
def test_each_refusal_has_its_rule(status, reason, word):
    assert word in "\n".join(explain(refused(status, reason)))


def test_no_rule_hides_another():
    seen = set()
    for rule in RULES:
        assert rule.status not in seen, f"{rule} is never reached"
        if not rule.reason:
            seen.add(rule.status)


def test_the_doctor_explains_a_call_that_a_recorder_refused_and_one_that_it_took(recorder):
    phone = Phone(recorder)
    phone.send("INVITE", 1, "Require: 100rel", body=SDP)
    assert phone.receive().code == 420
    until(lambda: phone.call_id in map(call_id_of, refusals.read(recorder.data)), recorder.log.read_text)
    assert "100rel" in recorder.run("doctor", "--call")
    assert f"Call-ID: {phone.call_id}" in recorder.run("doctor", "--call", phone.call_id)
    assert "Nothing is known" in recorder.run("doctor", "--call", "other")
    taken = Phone(recorder)
    taken.ask("INVITE", 1, "Require: siprec", body=SDP)
    time.sleep(0.2)
    taken.ask("BYE", 2)
    (row,) = recorder.recordings(1)
    out = recorder.run("doctor", "--call", taken.call_id)
    assert row["id"] in out
    assert "no packet came" in out
    phone.socket.close()
    taken.socket.close()
