"""Calls of clients without SIPREC: what their headers tell."""

import pytest

from srs.siprec.session import parties

NEAR = (
    "<sip:7001@cucm.example.com;x-nearend;x-refci=101;x-nearendclusterid=c1;x-nearenddevice=SEP1;x-nearendaddr=7001;"
    "x-farendrefci=102;x-farendclusterid=c1;x-farenddevice=SEP2;x-farendaddr=7002>;tag=client"
)
FAR = NEAR.replace("x-nearend;", "x-farend;")


def plain(dialog, *headers, sdp=None, contact="<sip:cucm@192.0.2.1>;isFocus", **options):
    """An INVITE without mark of SIPREC; `headers` go before those of every request."""
    request = dialog.request("INVITE", sdp=sdp, headers=[("Contact", contact)], **options)
    for name, value in headers:
        request.headers.set(name, value)
    dialog.last = request
    return dialog.apply(request)


def who(session):
    return [(party.aor, party.name) for party in parties(session).values()]


@pytest.mark.parametrize(("from_", "aor"), [(NEAR, "sip:7001"), (FAR, "sip:7002")], ids=["near", "far"])
@pytest.mark.parametrize("answered", [1, 2], ids=["one line answered", "one line refused"])
def test_built_in_bridge(dialog, sdp, from_, aor, answered):
    """The client takes one of the two lines that we offer, or answers one only."""
    plain(dialog, ("From", from_))
    dialog.late_offer((30000, 30002))
    lines = [("audio 4000 RTP/AVP 0", "sendonly"), ("audio 0 RTP/AVP 0",)][:answered]
    session = dialog.apply(dialog.request("ACK", sdp=sdp(*lines)))
    assert who(session) == [(aor, None)]
    assert session.metadata.sessions[0].id == "101-102"
    assert {each.identifier.value for each in session.identifiers} == {"101", "102"}


def test_participants_of_a_gateway_by_their_media_index(dialog, sdp):
    said = '"Bob" <sip:7002@gw.example.com>;media-index="1", <sip:7001@gw.example.com;x=1>;media-index="0"'
    lines = sdp(("audio 4000 RTP/AVP 0", "sendonly"), ("audio 4002 RTP/AVP 0", "sendonly"))
    plain(dialog, ("X-Cisco-Recording-Participant", said), sdp=lines)
    session = dialog.answers(sdp=dialog.grant(lines))
    assert who(session) == [("sip:7001@gw.example.com", None), ("sip:7002@gw.example.com", "Bob")]


def test_a_new_participant_of_a_gateway(dialog, sdp):
    said = '<sip:7001@gw>;media-index="0", <sip:{}@gw>;media-index="1"'
    lines = sdp(("audio 4000 RTP/AVP 0", "sendonly"), ("audio 4002 RTP/AVP 0", "sendonly"))
    for number in ("7002", "7003"):
        plain(dialog, ("X-Cisco-Recording-Participant", said.format(number)), sdp=lines)
        session = dialog.answers(sdp=dialog.grant(lines))
    spoke = [(each.stream, each.participant.aor, each.until_ns is None) for each in session.history]
    assert spoke == [(0, "sip:7001@gw", True), (1, "sip:7002@gw", False), (1, "sip:7003@gw", True)]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], ("sip:src@example.com", None)),
        ([("P-Asserted-Identity", '"Ann" <sip:700@example.com>')], ("sip:700@example.com", "Ann")),
    ],
)
def test_who_is_on_a_plain_call(dialog, sdp, headers, expected):
    line = sdp(("audio 4000 RTP/AVP 0",))
    plain(dialog, *headers, sdp=line)
    assert who(dialog.answers(sdp=dialog.grant(line))) == [expected]


@pytest.mark.parametrize("mark", [{"contact": "<sip:a@b>;+sip.src"}, {"contact": "<sip:a@b>;src"}, {}])
def test_from_of_a_recording_client_is_no_party(dialog, sdp, mark):
    line = sdp(("audio 4000 RTP/AVP 0", "sendonly"))
    plain(dialog, *([] if mark else [("Require", "siprec")]), sdp=line, **mark)
    assert who(dialog.answers(sdp=dialog.grant(line))) == [(None, None)]


def test_metadata_that_come_later_replace_what_the_header_told(dialog, sdp):
    line = sdp(("audio 4000 RTP/AVP 0", "label:1", "sendonly"))
    plain(dialog, sdp=line)
    dialog.answers(sdp=dialog.grant(line))
    xml = b"""<recording><participant participant_id="p"><nameID aor="sip:ann@example.com"/></participant>
      <stream stream_id="s"><label>1</label></stream>
      <participantstreamassoc participant_id="p"><send>s</send></participantstreamassoc></recording>"""
    session = dialog.agrees("UPDATE", xml=xml)
    assert who(session) == [("sip:ann@example.com", None)]
    assert len(session.history) == 1


@pytest.mark.parametrize("odd", ["x-nearend", "x-refci=1", "x-nearend;x-refci=", "x-nearend=;x-refci=1;x-farendrefci="])
def test_half_a_from_is_no_leg_or_has_a_pair(dialog, sdp, odd):
    line = sdp(("audio 4000 RTP/AVP 0",))
    plain(dialog, ("From", f"<sip:7001@b;{odd}>;tag=client"), sdp=line)
    session = dialog.answers(sdp=dialog.grant(line))
    assert len(who(session)) == 1
