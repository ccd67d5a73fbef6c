"""What clients ask of the recorder beside the sound: TLS, session timers, passwords, profiles."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.calls import call, make_plan
from support.phone import SDP, Phone
from support.recorder import Recorder, Recorders

from srs.sip.digest import answer
from srs.sip.digest import parse as parse_digest


@pytest.fixture
def recorder(recorders: Recorders, certificate: tuple[Path, Path]) -> Recorder:
    return recorders.lend(SRS_TLS__CERTIFICATE=str(certificate[0]), SRS_TLS__KEY=str(certificate[1]))


@pytest.fixture
def phone(recorder: Recorder):
    made = Phone(recorder)
    yield made
    made.socket.close()


def test_a_call_over_tls(recorder: Recorder) -> None:
    call(make_plan(recorder, 1.0, transport="TLS"))
    (recording,) = recorder.recordings(1)
    assert [leg["packets"] for leg in recording["legs"]] == [50, 50]
    assert recording["legs"][0]["lost"] == 0


def test_session_timer_is_agreed_and_refreshed(phone: Phone) -> None:
    ask = ("Supported: timer", "Session-Expires: 1800;refresher=uac")
    answer = phone.ask("INVITE", 1, "Require: siprec", *ask, body=SDP)
    assert (answer.code, answer.headers["Session-Expires"]) == (200, "1800;refresher=uac")
    assert answer.headers["Require"] == "timer"
    again = phone.ask("INVITE", 2, *ask, body=SDP)
    assert (again.code, again.body) == (200, answer.body)
    update = phone.ask("UPDATE", 3, *ask)
    assert (update.code, update.headers["Session-Expires"]) == (200, "1800;refresher=uac")
    assert phone.ask("BYE", 4).code == 200


def test_too_short_a_session_timer(phone: Phone) -> None:
    answer = phone.ask("INVITE", 1, "Require: siprec", "Supported: timer", "Session-Expires: 30", body=SDP)
    assert (answer.code, answer.headers["Min-SE"]) == (422, "90")
    assert phone.ask("INVITE", 2, "Require: siprec", "Supported: timer", "Session-Expires: 90", body=SDP).code == 200
    assert phone.ask("BYE", 3).code == 200


def test_a_client_that_lost_its_call_is_asked_and_let_go(start_recorder: Callable[..., Recorder]) -> None:
    recorder = start_recorder(SRS_SIP__SILENCE_S="1")
    phone = Phone(recorder)
    with phone.socket:
        assert phone.ask("INVITE", 1, "Require: siprec", body=SDP).code == 200
        question = phone.receive()
        assert question.method == "OPTIONS"
        answer = bytes(question).decode().replace(question.start_line, "SIP/2.0 481 Gone")
        phone.socket.sendto(answer.encode(), (recorder.host, recorder.port))
        bye = phone.receive()
        assert (bye.method, bye.headers["Reason"]) == ("BYE", 'SIP;text="the client is gone"')


KNOWN = {"name": "SBC", "from_uri": "sip:sbc@*", "user": "sbc", "password": "secret", "purpose": "training"}


@pytest.fixture
def choosy(recorders: Recorders) -> Recorder:
    """A recorder that knows one client."""
    return recorders.lend(SRS_PEER=json.dumps([KNOWN]))


def test_profiles_demand_passwords_and_leave_their_mark(choosy: Recorder) -> None:
    recorder, phone = choosy, Phone(choosy)
    with phone.socket:
        asked = parse_digest(phone.ask("INVITE", 1, "Require: siprec", body=SDP).headers.getlist("WWW-Authenticate")[1])
        given = {**asked, "username": "sbc", "uri": "sip:srs@127.0.0.1", "nc": "00000001", "cnonce": "c"}
        given["response"] = answer(given, "INVITE", "secret", b"") or ""
        said = "Authorization: Digest " + ",".join(f'{name}="{value}"' for name, value in given.items())
        assert phone.ask("INVITE", 2, "Require: siprec", said, body=SDP).code == 200
        (capture,) = recorder.captures()
        assert b"X-SRS-Event: peer;name=SBC;purpose=training" in capture.read_bytes()
        assert phone.ask("BYE", 3).code == 200
        phone.call_id, phone.tag = "second", ""
        wrong = said.replace(given["response"], "0" * 32)
        assert phone.ask("INVITE", 1, "Require: siprec", wrong, body=SDP).code == 403
    (listed,) = recorder.recordings(1)
    shown = recorder.shown(listed["id"])
    assert (shown["peer"], shown["purpose"], shown["direction"]) == ("SBC", "training", "transit")


def test_who_fits_no_profile_is_turned_away(choosy: Recorder) -> None:
    phone = Phone(choosy, "sip:pbx@example.com")
    with phone.socket:
        assert phone.ask("INVITE", 1, "Require: siprec", body=SDP).code == 403


@pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is missing: apt-get install sip-tester")
@pytest.mark.parametrize(("password", "status"), [("secret", 0), ("guess", 1)])
def test_sipp_knows_the_password(recorders: Recorders, password: str, status: int) -> None:
    recorder = recorders.lend(SRS_PEER='[{"name": "SBC", "user": "sbc", "password": "secret", "digests": ["MD5"]}]')
    scenario = Path(__file__).parents[2] / "captures" / "sipp" / "password.xml"
    command = ["sipp", "-sf", str(scenario), "-m", "1", "-i", recorder.host, "-nostdin", "-au", "sbc", "-ap", password]
    command += ["-timeout", "15", "-timeout_error", f"{recorder.host}:{recorder.port}"]
    done = subprocess.run(command, cwd=recorder.data.parent, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout[-2000:]
