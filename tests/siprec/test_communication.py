"""Which calls a recording session carries, and when: RFC 8068 §3.4 and §3.5 in our own words."""

import pytest

from srs.siprec.session import parties
from srs.siprec.split import split

SECOND = 1_000_000_000
NS = "urn:ietf:params:xml:ns:recording:1"


def document(*elements, mode="complete"):
    return f'<recording xmlns="{NS}"><datamode>{mode}</datamode>{"".join(elements)}</recording>'.encode()


def session(key, *, inside="", people=(), stop=False):
    """A session with those who take part in it."""
    stopped = "<stop-time>2026-11-27T10:00:00Z</stop-time>" if stop else ""
    members = "".join(f'<participantsessionassoc participant_id="{each}" session_id="{key}"/>' for each in people)
    return f'<session session_id="{key}">{inside}{stopped}</session>{members}'


def person(key, *sends):
    """A participant with the streams it sends; its address follows from its id."""
    told = "".join(f"<send>{each}</send>" for each in sends)
    return (
        f'<participant participant_id="{key}"><nameID aor="sip:{key}@example.com"/></participant>'
        f'<participantstreamassoc participant_id="{key}">{told}</participantstreamassoc>'
    )


def stream(key, label, session_id=None):
    owner = f' session_id="{session_id}"' if session_id else ""
    return f'<stream stream_id="{key}"{owner}><label>{label}</label></stream>'


def call(key, one, other, *, lines=("1", "2"), inside=""):
    """All elements of a call of two."""
    streams = [f"{key}-{label}" for label in lines]
    return (
        session(key, inside=inside, people=(one, other)),
        person(one, streams[0]),
        person(other, streams[1]),
        *(stream(each, label, key) for each, label in zip(streams, lines, strict=True)),
    )


def told(recording_session):
    """The calls as (id, from s, to s or None)."""
    return [
        (each.info.id, each.since_ns // SECOND, each.until_ns and each.until_ns // SECOND)
        for each in recording_session.communications
    ]


def who(recording_session):
    return [party.aor and party.aor[4:].partition("@")[0] for party in parties(recording_session).values()]


def test_one_call_is_as_long_as_the_recording_session(dialog, two_legs):
    dialog.agrees(sdp=two_legs(), xml=document(*call("cs1", "ann", "bob")))
    ended = dialog.says("BYE")
    (only,) = split(ended)
    assert (only.started_ns, only.ended_ns) == (ended.started_ns, ended.ended_ns)
    assert only.streams == ended.streams
    assert only.history == ended.history


def test_without_sessions_it_stays_as_it_is(dialog, two_legs):
    dialog.agrees(sdp=two_legs(), xml=document(person("ann", "s1"), stream("s1", "1")))
    ended = dialog.says("BYE")
    assert split(ended) == (ended,)


def test_calls_one_after_another_in_a_persistent_session(dialog, two_legs):
    """Nobody talks at first; then two calls of one agent, between them nothing."""
    dialog.agrees(sdp=two_legs("inactive"))  # 1, 2
    dialog.agrees(sdp=two_legs(), xml=document(*call("cs1", "ann", "agent")))  # 3, 4
    dialog.agrees("UPDATE", xml=document(session("cs1", stop=True), mode="partial"))  # 5, 6
    dialog.agrees(sdp=two_legs(), xml=document(*call("cs2", "agent", "bob"), mode="partial"))  # 7, 8
    ended = dialog.says("BYE")  # 9
    assert told(ended) == [("cs1", 4, 6), ("cs2", 8, None)]
    first, second = split(ended)
    assert [(each.started_ns // SECOND, each.ended_ns // SECOND) for each in (first, second)] == [(4, 6), (8, 9)]
    assert who(first) == ["ann", "agent"]
    assert who(second) == ["agent", "bob"]
    assert [each.metadata.sessions[0].id for each in (first, second)] == ["cs1", "cs2"]
    assert second.streams[0].directions == ((8 * SECOND, "recvonly"),)


def test_a_persistent_session_that_says_so_begins_with_its_first_call(dialog, two_legs):
    """Metadata without any call or party came first: what was before the call is not part of it."""
    dialog.agrees(sdp=two_legs("inactive"), xml=document())
    dialog.agrees(sdp=two_legs(), xml=document(*call("cs1", "ann", "bob")))
    (only,) = split(dialog.says("BYE"))
    assert only.started_ns == 4 * SECOND


def test_a_complete_document_ends_what_it_leaves_out(dialog, two_legs):
    dialog.agrees(sdp=two_legs(), xml=document(*call("cs1", "ann", "bob")))
    session = dialog.agrees("UPDATE", xml=document(*call("cs2", "ann", "carol")))
    assert told(session) == [("cs1", 2, 4), ("cs2", 4, None)]


@pytest.mark.parametrize("inside", ["", "<sipSessionID>c0ffee</sipSessionID>"], ids=["parties", "sipSessionID"])
def test_a_call_that_is_given_a_new_id_in_every_document_is_one_call(dialog, two_legs, inside):
    """BroadWorks does so."""
    dialog.agrees(sdp=two_legs(), xml=document(*call("cs1", "ann", "bob", inside=inside)))
    other = "carol" if inside else "bob"
    session = dialog.agrees("UPDATE", xml=document(*call("cs2", "ann", other, inside=inside)))
    assert told(session) == [("cs2", 2, None)]


def test_a_document_without_sessions_ends_nothing(dialog, two_legs):
    dialog.agrees(sdp=two_legs(), xml=document(*call("cs1", "ann", "bob")))
    session = dialog.agrees("UPDATE", xml=document(person("ann", "cs1-1"), stream("cs1-1", "1")))
    assert told(session) == [("cs1", 2, None)]


@pytest.mark.parametrize("broken", [b"<recording><a & b>", b"<recording><datamode>complete</datamode><sess"])
def test_a_document_of_which_nothing_can_be_read_ends_nothing(dialog, two_legs, broken):
    """A whole one that names nobody does: the recording session waits for its next call."""
    dialog.agrees(sdp=two_legs(), xml=document(*call("cs1", "ann", "bob")))
    assert told(dialog.agrees("UPDATE", xml=broken)) == [("cs1", 2, None)]
    assert who(dialog.session) == ["ann", "bob"]
    assert all(each.until_ns is None for each in dialog.session.history)
    assert told(dialog.agrees("UPDATE", xml=document())) == [("cs1", 2, 6)]


@pytest.mark.parametrize(
    "end",
    [
        (
            '<sessionrecordingassoc session_id="cs1"><disassociate-time>2026-11-27T10:00:00Z</disassociate-time>'
            "</sessionrecordingassoc>"
        ),
        "".join(
            f'<participantsessionassoc participant_id="{each}" session_id="cs1">'
            "<disassociate-time>2026-11-27T10:00:00Z</disassociate-time></participantsessionassoc>"
            for each in ("ann", "bob")
        ),
    ],
    ids=["it leaves the recording session", "all have left"],
)
def test_other_ways_to_end(dialog, two_legs, end):
    dialog.agrees(sdp=two_legs(), xml=document(*call("cs1", "ann", "bob")))
    session = dialog.agrees("UPDATE", xml=document(end, mode="partial"))
    assert told(session) == [("cs1", 2, 4)]


def test_a_transfer_is_the_same_call(dialog, two_legs):
    dialog.agrees(sdp=two_legs(), xml=document(*call("cs1", "ann", "bob")))
    gone = (
        '<participantsessionassoc participant_id="bob" session_id="cs1">'
        "<disassociate-time>2026-11-27T10:00:00Z</disassociate-time></participantsessionassoc>"
    )
    joined = session("cs1", people=("carol",))
    dialog.agrees("UPDATE", xml=document(joined, gone, person("carol", "cs1-2"), person("bob"), mode="partial"))
    ended = dialog.says("BYE")
    assert told(ended) == [("cs1", 2, None)]
    (only,) = split(ended)
    assert [(each.stream, each.participant.id, each.since_ns // SECOND) for each in only.history] == [
        (0, "ann", 2),
        (1, "bob", 2),
        (1, "carol", 4),
    ]


def test_calls_at_once_on_streams_of_their_own(dialog, sdp):
    """A turret: two calls on four lines; the first ends."""
    lines = sdp(*((f"audio {4000 + 2 * place} RTP/AVP 0", f"label:{place + 1}", "sendonly") for place in range(4)))
    dialog.agrees(sdp=lines, xml=document(*call("a", "ann", "bob"), *call("b", "carol", "dave", lines=("3", "4"))))
    dialog.agrees("UPDATE", xml=document(session("a", stop=True), mode="partial"))
    ended = dialog.says("BYE")
    one, other = split(ended)
    assert [who(one), who(other)] == [["ann", "bob"], ["carol", "dave"]]
    assert [[each.label for each in part.streams] for part in (one, other)] == [["1", "2"], ["3", "4"]]
    assert (one.ended_ns, other.ended_ns) == (4 * SECOND, 5 * SECOND)


def test_a_stream_of_two_calls_is_in_both(dialog, sdp):
    """The trader's microphone goes to both calls: nothing ties the stream to one, the trader is in both."""
    lines = sdp(*((f"audio {4000 + 2 * place} RTP/AVP 0", f"label:{place + 1}", "sendonly") for place in range(3)))
    dialog.agrees(
        sdp=lines,
        xml=document(
            session("a", people=("trader", "ann")), session("b", people=("trader", "bob")),
            person("trader", "t"), person("ann", "s2"), person("bob", "s3"),
            stream("t", "1"), stream("s2", "2", "a"), stream("s3", "3", "b"),
        ),
    )  # fmt: skip
    one, other = split(dialog.says("BYE"))
    assert [who(one), who(other)] == [["trader", "ann"], ["trader", "bob"]]


def test_a_stream_that_moves_to_another_call_is_silent_before_and_after(dialog, two_legs):
    """Consultation: ann waits while the agent asks the expert on the same line."""
    dialog.agrees(sdp=two_legs(), xml=document(*call("cs1", "ann", "agent")))  # 2
    asks = (session("cs2", people=("agent", "expert")), person("agent", "x-1"), person("expert", "x-2"))
    moved = (stream("x-1", "1", "cs2"), stream("x-2", "2", "cs2"), stream("cs1-1", "9"), stream("cs1-2", "8"))
    dialog.agrees("UPDATE", xml=document(*asks, *moved, person("ann"), mode="partial"))  # 4
    back = (session("cs2", stop=True), stream("cs1-1", "1"), stream("cs1-2", "2"))
    dialog.agrees("UPDATE", xml=document(*back, person("ann", "cs1-1"), person("agent", "cs1-2"), mode="partial"))  # 6
    main, consultation = split(dialog.says("BYE"))
    assert who(main) == ["ann", "agent"]
    assert who(consultation) == ["agent", "expert"]
    assert [(since // SECOND, direction) for since, direction in main.streams[0].directions] == [
        (2, "recvonly"),
        (4, "inactive"),
        (6, "recvonly"),
    ]
    assert (consultation.started_ns, consultation.ended_ns) == (4 * SECOND, 6 * SECOND)
