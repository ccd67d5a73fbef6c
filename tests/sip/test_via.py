"""Via."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs.sip.via import Via


@pytest.mark.parametrize(
    "text",
    [
        "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK~1;rport",
        "SIP/2.0/TCP pbx_1.example.com;received=2001:db8::1",
        "SIP/2.0/TLS [2001:db8::9]:5061;branch=1",
    ],
)
def test_round_trip(text):
    assert str(Via.parse(text)) == text


def test_blanks():
    via = Via.parse("SIP / 2.0 / udp   host : 7 ; branch = x")
    assert (via.transport, via.sent_by, via.branch) == ("UDP", ("host", 7), "x")


@pytest.mark.parametrize(("text", "port"), [("SIP/2.0/UDP h", 5060), ("SIP/2.0/TLS h", 5061), ("SIP/2.0/TCP h:9", 9)])
def test_default_ports(text, port):
    assert Via.parse(text).sent_by == ("h", port)


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("SIP/2.0/UDP 1.2.3.4:7", ("1.2.3.4", 7)),
        ("SIP/2.0/UDP 1.2.3.4:7;rport", ("1.2.3.4", 9)),
        ("SIP/2.0/UDP pbx:7", ("1.2.3.4", 7)),
        ("SIP/2.0/UDP pbx:7;rport=1", ("1.2.3.4", 9)),
    ],
)
def test_way_back(text, back):
    assert Via.parse(text).received_from(("1.2.3.4", 9)).response_address() == back


def test_listener_is_not_the_source_port():
    assert Via.parse("SIP/2.0/TCP pbx:7;rport").received_from(("1.2.3.4", 9)).listener == ("1.2.3.4", 7)


def test_nothing_to_note_changes_nothing():
    via = Via.parse("SIP/2.0/UDP 1.2.3.4:7")
    assert via.received_from(("1.2.3.4", 9)) is via


@given(st.text())
def test_nonsense(text):
    with pytest.raises(ValueError, match="no Via"):
        Via.parse("x" + text)
