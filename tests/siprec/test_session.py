"""A recording session as a fold over the messages of its dialog."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs.sip.message import make_request, parse, response
from srs.siprec import session as reducer
from srs.siprec.metadata import write
from srs.siprec.session import Party, parties

S = 1_000_000_000
ALICE, BOB, CAROL = (f"sip:{name}@example.com" for name in ("alice", "bob", "carol"))
XML = write("call", [ALICE, BOB])


def directions(session):
    return [[direction for _, direction in stream.directions] for stream in session.streams]


# The life of a session


def test_invite_ok_ack_bye(dialog, two_legs):
    session = dialog.says("INVITE", sdp=two_legs(), xml=XML)
    assert (session.started_ns, session.streams, session.metadata) == (None, (), None)
    dialog.answers(100)
    session = dialog.answers(sdp=dialog.grant(two_legs()))
    assert session.started_ns == 3 * S
    assert [stream.local for stream in session.streams] == [("127.0.0.1", 30000), ("127.0.0.1", 30002)]
    assert [stream.label for stream in session.streams] == ["1", "2"]
    dialog.says("ACK")
    session = dialog.says("BYE")
    assert (session.ended_ns, session.end_reason) == (5 * S, "BYE")
    assert session.snapshots == ((S, XML),)
    assert session.problems == ()
    assert [(each.stream, each.participant.aor, each.since_ns, each.until_ns) for each in session.history] == [
        (0, ALICE, 3 * S, 5 * S),
        (1, BOB, 3 * S, 5 * S),
    ]
    assert list(parties(session).items()) == [
        (session.streams[0], Party(ALICE, None)),
        (session.streams[1], Party(BOB, None)),
    ]


def test_messages_of_another_dialog_change_nothing(dialog, two_legs):
    session = dialog.agrees(sdp=two_legs(), xml=XML)
    dialog.call_id = "another@example.com"
    assert dialog.says("BYE") is session
    assert dialog.agrees(sdp=two_legs("inactive")) is session


def test_after_the_end_nothing_changes(dialog, two_legs):
    dialog.agrees(sdp=two_legs(), xml=XML)
    session = dialog.says("BYE")
    assert dialog.answers() is session
    assert dialog.agrees(sdp=two_legs("inactive")) is session
    assert dialog.says("BYE") is session


def test_our_bye_ends_it_too(dialog, two_legs):
    dialog.agrees(sdp=two_legs())
    session = dialog.says("BYE", tag="srs", cseq=1)
    assert session.ended_ns == dialog.time


def test_the_reason_of_the_end(dialog, two_legs):
    dialog.agrees(sdp=two_legs())
    assert (
        dialog.says("BYE", headers=[("Reason", 'Q.850;cause=16;text="\udcff"')]).end_reason
        == 'Q.850;cause=16;text="\ufffd"'
    )


def test_metadata_in_the_bye(dialog, two_legs):
    dialog.agrees(sdp=two_legs(), xml=XML)
    last = XML.replace(b"</sipSessionID>", b"</sipSessionID><stop-time>2026-11-23T12:00:00Z</stop-time>")
    session = dialog.says("BYE", xml=last)
    assert session.metadata.sessions[0].stop.text == "2026-11-23T12:00:00Z"
    assert [raw for _, raw in session.snapshots] == [XML, last]
    assert {each.until_ns for each in session.history} == {dialog.time}


def test_a_bye_that_cannot_be_read_ends_it_too(dialog, two_legs):
    dialog.agrees(sdp=two_legs())
    session = dialog.says("BYE", content_type="application/gtd", body=b"REL,")
    assert session.ended_ns == dialog.time
    assert session.problems == ("body: application/gtd is not understood",)


# Changes


def test_pause_and_resume(dialog, two_legs):
    dialog.agrees(sdp=two_legs(), xml=XML)
    dialog.agrees(sdp=two_legs("inactive"))
    session = dialog.agrees(sdp=two_legs())
    assert [stream.directions for stream in session.streams] == [
        ((2 * S, "recvonly"), (4 * S, "inactive"), (6 * S, "recvonly"))
    ] * 2
    assert [each.until_ns for each in session.history] == [None, None]
    assert session.started_ns == 2 * S


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_an_offer_that_is_refused_has_no_effect(dialog, two_legs, method):
    before = dialog.agrees(sdp=two_legs(), xml=XML)
    dialog.says(method, sdp=two_legs("inactive"), xml=write("other", [CAROL]))
    session = dialog.answers(488)
    assert (session.streams, session.metadata, session.history) == (before.streams, before.metadata, before.history)
    assert session.problems == (f"{method} 2 was refused with 488",)
    assert len(session.snapshots) == 2
    assert directions(dialog.agrees(sdp=two_legs("inactive"))) == [["recvonly", "inactive"]] * 2


def test_metadata_alone_in_update(dialog, two_legs):
    before = dialog.agrees(sdp=two_legs(), xml=XML)
    session = dialog.agrees("UPDATE", xml=write("call", [ALICE, CAROL]))
    assert session.streams == before.streams
    assert [(each.stream, each.participant.aor, each.until_ns) for each in session.history] == [
        (0, ALICE, None),
        (1, BOB, dialog.time),
        (1, CAROL, None),
    ]


def test_an_empty_update_changes_nothing(dialog, two_legs):
    before = dialog.agrees(sdp=two_legs(), xml=XML)
    session = dialog.agrees("UPDATE")
    assert replace(session, cseq=before.cseq) == before


def test_update_with_offer(dialog, two_legs):
    dialog.agrees(sdp=two_legs())
    assert directions(dialog.agrees("UPDATE", sdp=two_legs("inactive"))) == [["recvonly", "inactive"]] * 2


def test_metadata_that_come_later_name_the_legs(dialog, two_legs):
    session = dialog.agrees(sdp=two_legs())
    assert list(parties(session).values()) == [Party(None, None)] * 2
    session = dialog.agrees("UPDATE", xml=XML)
    assert list(parties(session).values()) == [Party(ALICE, None), Party(BOB, None)]


def test_a_leg_that_comes_later_is_named_by_the_metadata_before(dialog, sdp, two_legs):
    dialog.agrees(sdp=sdp(("audio 4000 RTP/AVP 0", "label:1", "sendonly")), xml=XML)
    session = dialog.agrees(sdp=two_legs())
    assert [(each.stream, each.participant.aor, each.since_ns) for each in session.history] == [
        (0, ALICE, 2 * S),
        (1, BOB, 4 * S),
    ]


def test_a_partial_update(dialog, two_legs):
    dialog.agrees(sdp=two_legs(), xml=XML)
    bob = dialog.session.metadata.participants[1].id
    partial = f"<recording><datamode>partial</datamode><participantstreamassoc participant_id='{bob}'/></recording>"
    session = dialog.agrees("UPDATE", xml=partial.encode())
    assert [(each.participant.aor, each.until_ns) for each in session.history] == [(ALICE, None), (BOB, dialog.time)]
    assert len(session.metadata.participants) == 2


def test_two_offers_before_the_first_is_answered(dialog, two_legs):
    dialog.agrees(sdp=two_legs())
    dialog.says("INVITE", sdp=two_legs("inactive"))
    first = dialog.last
    dialog.says("INVITE", sdp=two_legs(port=5000))
    dialog.answers(sdp=dialog.grant(two_legs("inactive")), to=first)
    session = dialog.answers(sdp=dialog.grant(two_legs(port=5000)))
    assert directions(session) == [["recvonly", "inactive", "recvonly"]] * 2
    assert session.streams[0].remote == ("192.0.2.1", 5000)
    assert session.pending == ()


def test_an_offer_that_is_not_answered(dialog, two_legs):
    dialog.says("INVITE", sdp=two_legs(), xml=XML)
    session = dialog.answers()
    assert (session.started_ns, session.streams) == (2 * S, ())
    assert session.problems == ("the offer in INVITE 1 was not answered",)


def test_an_offer_that_leaves_out_lines(dialog, two_legs, sdp):
    dialog.agrees(sdp=two_legs())
    session = dialog.agrees(sdp=sdp(("audio 4000 RTP/AVP 0", "label:1")))
    assert session.problems == ("the offer in INVITE 2 leaves out m-lines",)
    assert session.streams[1].removed_ns is None


# Late offers


def test_late_offer(dialog, sdp):
    dialog.says("INVITE")
    session = dialog.late_offer()
    assert (session.started_ns, session.streams[0].local, session.streams[0].remote) == (
        2 * S,
        ("127.0.0.1", 30000),
        None,
    )
    ack = dialog.request("ACK", sdp=sdp(("audio 4000 RTP/AVP 8", "label:1", "sendonly")), xml=write("call", [ALICE]))
    session = dialog.apply(ack)
    [stream] = session.streams
    assert (stream.remote, [codec.name for codec in stream.codecs[-1][1]]) == (("192.0.2.1", 4000), ["PCMA"])
    assert parties(session) == {stream: Party(ALICE, None)}
    assert dialog.apply(ack) == session


def test_late_offer_that_is_never_answered(dialog):
    dialog.says("INVITE")
    dialog.late_offer()
    session = dialog.says("ACK")
    assert [codec.name for codec in session.streams[0].codecs[0][1]] == ["PCMU", "PCMA", "TELEPHONE-EVENT"]
    assert (directions(session), session.problems) == ([["recvonly"]], ())


def test_re_invite_without_offer(dialog, two_legs):
    before = dialog.agrees(sdp=two_legs(), xml=XML)
    dialog.says("INVITE")
    dialog.answers(sdp=str(dialog.answered).encode())
    session = dialog.says("ACK", sdp=two_legs())
    assert (session.streams, session.history) == (before.streams, before.history)


def test_the_ack_of_another_invite_is_no_answer(dialog, sdp):
    dialog.says("INVITE")
    session = dialog.late_offer()
    late = sdp(("audio 0 RTP/AVP 8",))
    assert dialog.says("ACK", cseq=7, sdp=late) == session


# Repetition, disorder, refusal


def test_retransmissions_change_nothing(dialog, two_legs):
    invite = dialog.request("INVITE", sdp=two_legs(), xml=XML)
    session = dialog.apply(invite)
    assert dialog.apply(invite) == session
    ok = response(invite, 200, to_tag="srs")
    ok.set_body("application/sdp", dialog.grant(two_legs()))
    session = dialog.apply(ok)
    for again in (ok, invite, ok):
        assert dialog.apply(again) == session


def test_a_request_that_comes_late_changes_nothing(dialog, two_legs):
    dialog.agrees(sdp=two_legs())
    early = dialog.request("INVITE", sdp=two_legs("inactive"))
    session = dialog.agrees(sdp=two_legs())
    dialog.apply(early)
    assert dialog.answers(sdp=dialog.grant(two_legs("inactive")), to=early) == session


def test_an_invite_that_is_tried_anew(dialog, two_legs):
    dialog.says("INVITE", sdp=two_legs(), tag="one")
    session = dialog.answers(422)
    assert (session.started_ns, session.problems) == (None, ("INVITE 1 was refused with 422",))
    dialog.says("INVITE", sdp=two_legs(), tag="two")
    session = dialog.answers(sdp=dialog.grant(two_legs()))
    assert (session.started_ns, len(session.streams)) == (dialog.time, 2)


def test_our_own_requests_are_not_the_clients(dialog, two_legs):
    session = dialog.agrees(sdp=two_legs())
    dialog.says("UPDATE", tag="srs", cseq=50, xml=XML)
    assert dialog.answers() == session
    assert directions(dialog.agrees(sdp=two_legs("inactive"))) == [["recvonly", "inactive"]] * 2


def test_the_answer_to_our_request_does_not_settle_the_clients(dialog, two_legs):
    dialog.agrees(sdp=two_legs(), xml=XML)
    dialog.says("UPDATE", xml=write("call", [ALICE, CAROL]))
    theirs, ours = dialog.last, dialog.request("UPDATE", tag="srs", cseq=dialog.cseq)
    dialog.apply(ours)
    assert len(dialog.answers(to=ours).pending) == 1
    assert dialog.answers(to=theirs).history[-1].participant.aor == CAROL


@pytest.mark.parametrize("method", ["INFO", "OPTIONS", "MESSAGE", "CANCEL", "PRACK"])
def test_other_requests_change_nothing(dialog, two_legs, method):
    session = dialog.agrees(sdp=two_legs())
    dialog.says(method)
    assert dialog.answers() == session


def test_our_events(dialog, two_legs):
    dialog.agrees(sdp=two_legs())
    event = [("X-SRS-Event", "kernel-drops;port=30000;count=3")]
    dialog.says("INFO", tag="srs", cseq=1, headers=event)
    session = dialog.says("INFO", headers=event)  # of the client: not ours
    assert session.events == ((3 * S, "kernel-drops;port=30000;count=3"),)


def test_what_cannot_be_read_is_a_problem(dialog, two_legs):
    dialog.says("INVITE", sdp=b"m=nonsense", xml=b"<html/>")
    session = dialog.answers(400)
    assert session.problems == (
        "SDP: line 1: media line not understood: 'm=nonsense'",
        "metadata: no recording element, but html",
        "INVITE 1 was refused with 400",
    )
    assert session.snapshots == ((S, b"<html/>"),)
    session = dialog.agrees(sdp=two_legs(), xml=b"<html/>")
    assert (session.started_ns, len(session.streams), len(session.problems)) == (dialog.time, 2, 3)


def test_problems_have_an_end(dialog):
    for number in range(200):
        dialog.says("UPDATE", xml=b"<x%d/>" % number)
    assert len(dialog.session.problems) == reducer.MOST_PROBLEMS


# Anything at all

METHODS = st.sampled_from(["INVITE", "UPDATE", "ACK", "BYE", "INFO", "CANCEL"])
BODIES = st.sampled_from(
    [
        b"",
        b"v=0\nm=audio 4000 RTP/AVP 0\n",
        b"v=0\nm=audio 0 RTP/AVP 0\n",
        b"v=0\nm=video 1 RTP/AVP 9\nm=audio 1 x 0",
        XML,
        b"m=",
    ]
)
STEPS = st.lists(
    st.tuples(METHODS, st.integers(0, 3), st.sampled_from("ab"), BODIES, st.sampled_from([0, 0, 100, 200, 200, 488])),
    max_size=12,
)


def message(method, cseq, tag, body, code):
    fields = [("Via", "SIP/2.0/UDP 192.0.2.1"), ("From", f"<sip:a>;tag={tag}"), ("To", "<sip:b>"), ("Call-ID", "c")]
    request = make_request(method, "sip:b", [*fields, ("CSeq", f"{cseq} {method}")], b"" if code else body)
    if not code:
        return request
    made = response(request, code)
    made.body = body
    return made


@given(STEPS)
def test_any_conversation(steps):
    session = reducer.new("c")
    for time_ns, step in enumerate(steps, start=1):
        sent = parse(bytes(message(*step)))
        before, session = session, reducer.apply(session, sent, time_ns)
        assert len(session.streams) >= len(before.streams)
        assert session == reducer.apply(session, sent, time_ns + 1)
    live = [stream.index for stream in session.streams if stream.removed_ns is None]
    assert len(live) == len(set(live))
    assert set(parties(session)) <= set(session.streams)
    assert all(stream.codecs and stream.directions for stream in session.streams)
