"""Identifiers of recorded calls in the places where clients put them."""

import pytest

from srs.siprec.identifiers import Identifier, read
from srs.siprec.split import split

NS = "urn:ietf:params:xml:ns:recording:1"
UCID = "00FA080001000219A0C0DE"
DIGITS = "00001000020429965534"


def names(session):
    return {(each.identifier.kind, each.identifier.value) for each in session.identifiers}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("User-to-User", f"{UCID};encoding=hex", [("ucid", DIGITS)]),
        ("User-to-User", "04C8064152454E;encoding=hex", [("ucid", "04C8064152454E")]),
        ("ucid", DIGITS, [("ucid", DIGITS)]),
        ("Cisco-Guid", "0123456789-0987654321-0000000001-4294967295",
         [("cisco-guid", "0123456789-0987654321-0000000001-4294967295")]),
        ("Session-ID", f"{'ab' * 16};remote={'CD' * 16}", [("session-id", "ab" * 16), ("session-id", "cd" * 16)]),
        ("Session-ID", f"{'ab' * 16};remote={'00' * 16}", [("session-id", "ab" * 16)]),
        ("sipSessionID", "call-1@192.0.2.7", [("call-id", "call-1@192.0.2.7")]),
        ("X-Genesys-CallUUID", "01ABCDEF", [("genesys-uuid", "01ABCDEF")]),
        ("X-GenesysAgentID", "4711", [("agent-id", "4711")]),
        ("gcid", "9001", [("gcid", "9001")]),
        ("Subject", "4711", []),
        ("ucid", "", []),
        ("ucid", "1" * 256, []),
    ],
)  # fmt: skip
def test_fields(name, value, expected):
    assert [(each.kind, each.value) for each in read(name, value)] == expected


def extended(inside, *, session="cs", people=""):
    return f'<recording xmlns="{NS}"><session session_id="{session}">{inside}</session>{people}</recording>'.encode()


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (f'<apkt:ucid xmlns:apkt="x">{UCID};encoding=hex</apkt:ucid>', ("ucid", DIGITS)),
        (f'<x:header xmlns:x="x" label="User-to-User"><x:value>{UCID}</x:value></x:header>', ("ucid", DIGITS)),
        ("<callData xmlns='r'><gcid>77</gcid><fromhdr>a</fromhdr></callData>", ("gcid", "77")),
        ("<ac:GenesysUUID xmlns:ac='http://AudioCodes'>G7</ac:GenesysUUID>", ("genesys-uuid", "G7")),
        ("<m:broadWorksRecordingMetadata xmlns:m='m'><extTrackingID>t1</extTrackingID></m:broadWorksRecordingMetadata>",
         ("broadworks-tracking-id", "t1")),
        ("<jb:callsid xmlns:jb='jb'>s-1</jb:callsid>", ("call-sid", "s-1")),
        ('<call agent-id="12" xmlns="c"/>', ("agent-id", "12")),
        ("<sipSessionID>c@example.com</sipSessionID>", ("call-id", "c@example.com")),
    ],
)  # fmt: skip
def test_metadata_of_vendors(dialog, two_legs, inside, expected):
    session = dialog.agrees(sdp=two_legs(), xml=extended(inside))
    assert expected in names(session)


def test_avaya_makes_the_session_of_it(dialog, two_legs):
    assert names(dialog.agrees(sdp=two_legs(), xml=extended("", session=UCID.lower()))) == {("ucid", DIGITS)}


def test_headers_of_any_request_of_the_client(dialog, two_legs):
    dialog.agrees(sdp=two_legs(), headers=[("Cisco-Guid", "1-2-3-4"), ("X-Other", "1")])
    session = dialog.says("BYE", headers=[("X-Genesys-CallUUID", "G")])
    assert names(session) == {("cisco-guid", "1-2-3-4"), ("genesys-uuid", "G")}


def test_the_call_id_of_the_recording_dialog_is_none(dialog, two_legs):
    assert names(dialog.agrees(sdp=two_legs())) == set()


def test_each_call_has_its_own(dialog, two_legs):
    gcid = "<gcid xmlns='r'>{}</gcid>"
    first = [("Cisco-Guid", "first")]
    dialog.agrees(sdp=two_legs(), xml=extended(gcid.format(1), session="a"), headers=first)
    dialog.agrees("UPDATE", xml=extended(gcid.format(2), session="b"), headers=[("Cisco-Guid", "second")])
    one, other = split(dialog.says("BYE"))
    assert names(one) == {("gcid", "1"), ("cisco-guid", "first"), ("cisco-guid", "second")}
    assert names(other) == {("gcid", "2"), ("cisco-guid", "second")}


def test_a_call_that_is_renamed_keeps_those_of_its_former_name(dialog, two_legs):
    ours = "<sipSessionID>x</sipSessionID><gcid xmlns='r'>{}</gcid>"
    dialog.agrees(sdp=two_legs(), xml=extended(ours.format(1), session="a"))
    dialog.agrees("UPDATE", xml=extended(ours.format(2), session="b"))
    (only,) = split(dialog.says("BYE"))
    assert names(only) == {("call-id", "x"), ("gcid", "1"), ("gcid", "2")}


def test_identifiers_are_bounded(dialog, two_legs):
    many = "".join(f"<gcid xmlns='r'>{number}</gcid>" for number in range(500))
    assert len(dialog.agrees(sdp=two_legs(), xml=extended(many)).identifiers) == 100


def test_values_with_octets_that_are_no_utf_8():
    (found,) = read("gcid", "a\udcff")
    assert found == Identifier("gcid", "a?")
