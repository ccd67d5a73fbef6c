"""Which party speaks on a leg, and in which order the legs stand: the caller is the first."""

import pytest

from srs.siprec.metadata import write
from srs.siprec.session import Party, parties

ALICE, BOB, CAROL = (f"sip:{name}@example.com" for name in ("alice", "bob", "carol"))
XML = write("call", [ALICE, BOB])


def names(session):
    return [(stream.label, party.aor) for stream, party in parties(session).items()]


def crossed(document):
    """The document with the labels exchanged: the first participant sends on label 2."""
    return (
        document.replace(b"<label>1<", b"<label>x<")
        .replace(b"<label>2<", b"<label>1<")
        .replace(b"<label>x<", b"<label>2<")
    )


def test_the_caller_is_who_is_listed_first_not_label_1(dialog, two_legs):
    assert names(dialog.agrees(sdp=two_legs(), xml=crossed(XML))) == [("2", ALICE), ("1", BOB)]


def test_the_order_stays_when_the_document_changes_its_order(dialog, two_legs):
    dialog.agrees(sdp=two_legs(), xml=XML)
    assert names(dialog.agrees("UPDATE", xml=crossed(write("other", [BOB, ALICE])))) == [("1", ALICE), ("2", BOB)]


def test_without_names_the_lowest_label_is_first(dialog, sdp):
    session = dialog.agrees(sdp=sdp(("audio 4000 RTP/AVP 0", "label:10"), ("audio 4002 RTP/AVP 0", "label:9")))
    assert names(session) == [("9", None), ("10", None)]


@pytest.mark.parametrize("labels", [("b", "a"), ("7", "7"), ("2", "x"), ("²", "1")])
def test_without_numbers_the_m_lines_stand(dialog, sdp, labels):
    lines = [(f"audio {4000 + 2 * n} RTP/AVP 0", f"label:{label}") for n, label in enumerate(labels)]
    assert [label for label, _ in names(dialog.agrees(sdp=sdp(*lines)))] == list(labels)


def test_a_leg_without_name_leaves_the_order_to_the_labels(dialog, sdp):
    lines = sdp(*((f"audio {4000 + 2 * n} RTP/AVP 0", f"label:{label}") for n, label in enumerate("321")))
    assert names(dialog.agrees(sdp=lines, xml=XML)) == [("1", ALICE), ("2", BOB), ("3", None)]


def test_a_mixed_stream_has_several_parties(dialog, sdp):
    xml = (
        "<recording>"
        + "".join(
            f"<participant id='{n}'><aor>sip:{n}</aor><name>N{n}</name><send>m</send></participant>" for n in "12"
        )
        + "<stream id='m'><label>1</label></stream></recording>"
    )
    session = dialog.agrees(sdp=sdp(("audio 4000 RTP/AVP 0", "label:1")), xml=xml.encode())
    assert list(parties(session).values()) == [Party("sip:1 + sip:2", "N1 + N2")]


def test_a_leg_is_called_by_who_was_there_first(dialog, two_legs):
    dialog.agrees(sdp=two_legs(), xml=XML)
    assert names(dialog.agrees("UPDATE", xml=write("call", [ALICE, CAROL]))) == [("1", ALICE), ("2", BOB)]


def test_a_leg_is_not_called_by_somebody_without_name(dialog, two_legs):
    dialog.agrees(sdp=two_legs(), xml=XML.replace(b'<nameID aor="sip:bob@example.com"/>', b""))
    assert names(dialog.agrees("UPDATE", xml=write("other", [ALICE, CAROL]))) == [("1", ALICE), ("2", CAROL)]


def test_refused_and_other_streams_are_no_legs(dialog, sdp):
    lines = sdp(
        ("audio 4000 RTP/AVP 0", "label:1"), ("video 4002 RTP/AVP 96", "label:2"), ("audio 4004 RTP/SAVP 0", "label:3")
    )
    session = dialog.agrees(sdp=lines)
    assert [label for label, _ in names(session)] == ["1"]
    assert len(session.streams) == 3


def test_a_removed_stream_is_still_a_leg(dialog, sdp):
    stays = ("audio 4000 RTP/AVP 0", "label:1")
    dialog.agrees(sdp=sdp(stays, ("audio 4002 RTP/AVP 0", "label:2")), xml=XML)
    session = dialog.agrees(sdp=sdp(stays, ("audio 0 RTP/AVP 0", "label:2")))
    assert names(session) == [("1", ALICE), ("2", BOB)]
