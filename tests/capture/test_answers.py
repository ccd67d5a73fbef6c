"""What the recorder's answers have, as they come over the wire."""

import pytest
from support.phone import SDP, Phone
from support.rfc_flows import of_two, step


@pytest.fixture
def phone(recorder):
    made = Phone(recorder)
    yield made
    made.socket.close()


def test_what_a_200_has(phone):
    answer = phone.ask("INVITE", 1, "Require: siprec", body=SDP)
    assert answer.code == 200
    assert answer.headers["Contact"].endswith(";+sip.srs")
    assert answer.headers["Content-Type"] == "application/sdp"
    assert "siprec" in answer.headers["Supported"]
    assert "UPDATE" in answer.headers["Allow"]
    phone.ask("BYE", 2)


def test_requests_within_a_session(phone):
    assert phone.ask("INFO", 1).code == 481
    phone.ask("INVITE", 2, "Require: siprec", body=SDP)
    answers = [phone.ask(method, cseq) for cseq, method in enumerate(("INFO", "OPTIONS", "UPDATE"), start=3)]
    assert [answer.code for answer in answers] == [200, 200, 200]
    assert all(answer.headers["Contact"].endswith(";+sip.srs") for answer in answers)
    phone.ask("BYE", 6)


def test_100rel(phone):
    refused = phone.ask("INVITE", 1, "Require: 100rel", body=SDP)
    assert (refused.code, refused.headers["Unsupported"]) == (420, "100rel")
    assert phone.ask("INVITE", 2, "Require: siprec", "Supported: 100rel", body=SDP).code == 200
    phone.ask("BYE", 3)


def test_a_client_is_asked_for_nothing(phone):
    """Neither for a snapshot, though all it sent was a change of what was never said, nor for pictures."""
    content_type, body = step("8068-3.2.2-hold", "", of_two()).body()
    assert phone.ask("INVITE", 1, "Require: siprec", body=body, content_type=content_type).code == 200
    phone.socket.settimeout(1)
    with pytest.raises(TimeoutError):
        phone.receive()
    phone.socket.settimeout(10)
    assert phone.ask("BYE", 2).code == 200
