import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from srs.siprec.metadata import MetadataError, read, write
from srs.siprec.model import Extension, Instant, Membership, NameId, Participant, SessionInfo, StreamInfo, Use

NS = "urn:ietf:params:xml:ns:recording:1"

MODERN = f"""<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns="{NS}">
  <datamode>complete</datamode>
  <group group_id="g1"><associate-time>2026-11-23T09:00:00Z</associate-time></group>
  <session session_id="s1">
    <sipSessionID>ab30317f1a784dc48ff824d0d3715d86;
      remote=47755a9de7794ba387653f2099600ef2</sipSessionID>
    <group-ref>
      g1
    </group-ref>
    <start-time>2026-11-23T09:00:00Z</start-time>
  </session>
  <participant participant_id="p1">
    <nameID aor="sip:alice@example.com"><name xml:lang="en">Alice</name></nameID>
    <nameID aor="tel:+31201234567"/>
  </participant>
  <participant participant_id="p2"><nameID aor="sip:bob@example.com"/></participant>
  <stream stream_id="st1" session_id="s1"><label>96</label></stream>
  <stream stream_id="st2" session_id="s1"><label>97</label></stream>
  <sessionrecordingassoc session_id="s1"><associate-time>2026-11-23T09:00:00Z</associate-time></sessionrecordingassoc>
  <participantsessionassoc participant_id="p1" session_id="s1">
    <associate-time>2026-11-23T09:00:00Z</associate-time>
  </participantsessionassoc>
  <participantsessionassoc participant_id="p2" session_id="s1">
    <associate-time>2026-11-23T09:00:00Z</associate-time>
    <disassociate-time>2026-11-23T09:00:10Z</disassociate-time>
  </participantsessionassoc>
  <participantstreamassoc participant_id="p1"><send>st1</send><recv>st2</recv></participantstreamassoc>
  <participantstreamassoc participant_id="p2"><send>st2</send><recv>st1</recv></participantstreamassoc>
</recording>""".encode()

NINE = Instant("2026-11-23T09:00:00Z", 1795424400_000000000)

DRAFT = b"""<recording xmlns='urn:ietf:params:xml:ns:recording'><dataMode>complete</dataMode>
<session id="urn:uuid:s1"><associate-time>2019-04-08T11:10:33</associate-time></session>
<participant id="urn:uuid:p1" session="urn:uuid:s1">
<aor>sip:1@example.com</aor><name>One</name><send>urn:uuid:st1</send></participant>
<participant id="urn:uuid:p2" session="urn:uuid:s1">
<aor>sip:2@example.com</aor><send><id>urn:uuid:st2</id></send></participant>
<stream id="urn:uuid:st1" session="urn:uuid:s1"><label>16777227</label><mode>Separate</mode></stream>
<stream id="urn:uuid:st2" session="urn:uuid:s1"><label>553654187</label><mode>separate</mode></stream>
<extensiondata id="x" parent="urn:uuid:p1">
<k:callingParty xmlns:k="urn:k">true</k:callingParty></extensiondata></recording>"""


def body(inner, root="recording", **attributes):
    text = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<{root}{text}>{inner}</{root}>".encode()


def senders(metadata):
    return [(participant.aor, stream) for participant, stream in metadata.senders()]


def test_rfc_7865():
    found = read(MODERN)
    assert found.complete
    assert found.sessions == (
        SessionInfo(
            "s1",
            ("ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2",),
            group="g1",
            start=NINE,
        ),
    )
    assert found.participants == (
        Participant("p1", (NameId("sip:alice@example.com", "Alice"), NameId("tel:+31201234567", ""))),
        Participant("p2", (NameId("sip:bob@example.com", ""),)),
    )
    assert found.streams == (StreamInfo("st1", "96", "s1"), StreamInfo("st2", "97", "s1"))
    left = Instant("2026-11-23T09:00:10Z", NINE.time_ns + 10_000_000_000)
    assert found.memberships == (Membership("p1", "s1", NINE), Membership("p2", "s1", NINE, left))
    assert found.uses == (Use("p1", ("st1",), ("st2",)), Use("p2", ("st2",), ("st1",)))
    assert (found.extensions, found.problems) == ((), ())
    assert senders(found) == [("sip:alice@example.com", "st1")]  # bob left


def test_drafts():
    found = read(DRAFT)
    assert [(p.id, p.aor, p.name) for p in found.participants] == [
        ("urn:uuid:p1", "sip:1@example.com", "One"),
        ("urn:uuid:p2", "sip:2@example.com", None),
    ]
    assert found.streams[0] == StreamInfo("urn:uuid:st1", "16777227", "urn:uuid:s1", "separate")
    assert [(m.participant_id, m.session_id) for m in found.memberships] == [
        ("urn:uuid:p1", "urn:uuid:s1"),
        ("urn:uuid:p2", "urn:uuid:s1"),
    ]
    assert senders(found) == [("sip:1@example.com", "urn:uuid:st1"), ("sip:2@example.com", "urn:uuid:st2")]
    [extension] = found.extensions
    assert (extension.parent, extension.name) == ("urn:uuid:p1", "extensiondata")
    assert "callingParty" in extension.xml


@pytest.mark.parametrize(
    "wrap",
    [
        "<recording xmlns='urn:ietf:params:xml:ns:recording:1'>{}</recording>",
        "<recording xmlns='urn:ietf:params:xml:ns:recording'>{}</recording>",
        "<recording_metadata xmlns='urn:ietf:params:xml:ns:siprec'>{}</recording_metadata>",
        "<recording>{}</recording>",
        "<recording id='r'>{}</recording>",
        "<recording_metadata><recording id='r'/>{}</recording_metadata>",
        "<recording_metadata><recording>{}</recording></recording_metadata>",
        "<metadata><recording>{}</recording></metadata>",
        "<tns:recording xmlns:tns='urn:x' xmlns='urn:x'>{}</tns:recording>",
        "<RECORDING>{}</RECORDING>",
    ],
)
def test_roots(wrap):
    found = read(wrap.format("<participant participant_id='p'><nameID aor='sip:a'/></participant>").encode())
    assert found.participants == (Participant("p", (NameId("sip:a", ""),)),)


@pytest.mark.parametrize(
    ("inner", "attributes", "complete"),
    [
        ("", {}, True),
        ("<datamode>complete</datamode>", {}, True),
        ("<datamode>partial</datamode>", {}, False),
        ("<dataMode> Partial\n</dataMode>", {}, False),
        ("", {"dataMode": "partial"}, False),
        ("", {"datamode": "complete"}, True),
        ("<datamode>?</datamode>", {}, True),
    ],
)
def test_complete_or_partial(inner, attributes, complete):
    assert read(body(inner, **attributes)).complete is complete


@pytest.mark.parametrize(
    ("written", "aor"),
    [
        ("sip:u@example.com;user=phone", "sip:u@example.com;user=phone"),
        ("sip: 777 @example.com", "sip:777@example.com"),
        ("7602922411 ", "7602922411"),
        ("u@example.com", "u@example.com"),
        ("sip:NAME", "sip:NAME"),
        ("Front  Desk", "Front Desk"),
    ],
)
def test_addresses(written, aor):
    assert read(body(f"<participant id='1'><nameID aor='{written}'/></participant>")).participants[0].aor == aor
    assert read(body(f"<participant id='1'><aor>{written}</aor></participant>")).participants[0].aor == aor


def test_blank_names_are_none():
    [participant] = read(body("<participant id='1'><nameID aor=''><name> </name></nameID></participant>")).participants
    assert (participant.names, participant.aor, participant.name) == ((), None, None)


def test_what_several_elements_say_of_a_participant_is_taken_together():
    uses = "".join(
        f"<participantstreamassoc participant_id='p'><send>{n}</send></participantstreamassoc>" for n in "121"
    )
    assert read(body(uses)).uses == (Use("p", ("1", "2")),)


def test_an_association_that_ended_sends_nothing():
    ended = "<disassociate-time>2026-11-23T09:00:10Z</disassociate-time>"
    use = "<participantstreamassoc participant_id='p'><send>1</send>{}</participantstreamassoc>"
    assert len(list(read(body(use.format(""))).senders())) == 1
    assert list(read(body(use.format(ended))).senders()) == []
    assert len(list(read(body(use.format(ended) + use.format(""))).senders())) == 1
    assert len(list(read(body(use.format("") + use.format(ended))).senders())) == 1


def test_who_is_not_declared_has_an_id():
    assert list(
        read(body("<participantstreamassoc participant_id='p'><send>1</send></participantstreamassoc>")).senders()
    ) == [(Participant("p"), "1")]


def test_ids_that_are_used_twice():
    twice = "".join(f"<participant id='1'><aor>sip:{name}</aor></participant>" for name in "ab")
    found = read(body(f"{twice}<stream id='1'/>"))
    assert [participant.aor for participant in found.participants] == ["sip:a"]
    assert len(found.problems) == 2
    assert "sip:b" in found.problems[0]
    assert "several kinds" in found.problems[1]


def test_empty_ids_are_no_problem():
    found = read(
        body("<stream stream_id=''><label>1</label></stream><stream stream_id=''><label>2</label></stream><session/>")
    )
    assert [stream.label for stream in found.streams] == ["1", "2"]
    assert found.problems == ()


def test_foreign_elements_are_kept_and_not_looked_into():
    inner = "<participant id='p'><c:centre xmlns:c='urn:c'><c:participant id='q'/></c:centre></participant>"
    found = read(body(inner))
    assert [participant.id for participant in found.participants] == ["p"]
    assert found.extensions == (
        Extension("p", "centre", '<c:centre xmlns:c="urn:c"><c:participant id="q"/></c:centre>'),
    )


def test_text_that_is_not_escaped_is_a_problem_and_read():
    found = read(body("<participant id='1'><aor>sip:a@x?b=1&c=2</aor><name>A & B <b@x></name></participant>"))
    assert (found.participants[0].aor, found.participants[0].name) == ("sip:a@x?b=1&c=2", "A & B <b@x>")
    assert found.problems == ("the metadata were not well-formed XML",)


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"garbage",
        b"<html/>",
        b"<requestsnapshot/>",
        b"<recording>" + b" " * (1 << 20),
        b"<!DOCTYPE x><recording/>",
    ],
)
def test_no_metadata(xml):
    with pytest.raises(MetadataError):
        read(xml)


@given(st.lists(st.sampled_from(MODERN.split(b"\n") + DRAFT.split(b"\n")) | st.binary(max_size=9)).map(b"\n".join))
def test_garbage_raises_nothing_else(text):
    try:
        found = read(b"<recording>" + text)
    except MetadataError:
        return
    assert len(list(found.senders())) == sum(
        len(use.sends) for use in found.uses if use.participant_id in {p.id for p, _ in found.senders()}
    )


@given(st.integers(0, len(MODERN)))
def test_a_document_cut_short_gives_what_there_is(length):
    try:
        found = read(MODERN[:length])
    except MetadataError:
        assert b"<recording" not in MODERN[:length] or length < MODERN.index(NS.encode()) + len(NS) + 2
        return
    whole = {stream.id: stream.label for stream in read(MODERN).streams}
    assert all(whole[stream.id].startswith(stream.label) for stream in found.streams)


# Our own


def test_our_own_is_read_again():
    xml = write("call-1", ["sip:alice@example.com", "sip:bob@example.com"])
    found = read(xml)
    assert found.problems == ()
    assert found.sessions[0].sip_session_ids == ("call-1",)
    labels = {stream.id: stream.label for stream in found.streams}
    assert [(p.aor, labels[s]) for p, s in found.senders()] == [
        ("sip:alice@example.com", "1"),
        ("sip:bob@example.com", "2"),
    ]
    assert [[labels[s] for s in use.receives] for use in found.uses] == [["2"], ["1"]]
    assert write("call-1", ["sip:alice@example.com", "sip:bob@example.com"]) == xml
    assert read(write("call-2", ["sip:alice@example.com"])).sessions[0].id != found.sessions[0].id


def test_our_own_has_the_order_and_attributes_of_the_schema():
    root = etree.fromstring(write("call-1", ["sip:a", "sip:b"]))
    assert root.tag == f"{{{NS}}}recording"
    assert [etree.QName(child).localname for child in root] == [
        "datamode",
        "session",
        *["participant"] * 2,
        *["stream"] * 2,
        "sessionrecordingassoc",
        *["participantsessionassoc"] * 2,
        *["participantstreamassoc"] * 2,
    ]
    assert all(element.tag.startswith(f"{{{NS}}}") for element in root.iter())
    ids = [
        value for child in root for name, value in child.attrib.items() if child.tag.endswith(name.removesuffix("_id"))
    ]
    assert len(ids) == len(set(ids)) == 5
    assert {len(each) for each in ids} == {24}


AORS = st.lists(
    st.text(st.characters(min_codepoint=33, codec="utf-8", exclude_categories=["Cs", "Cc", "Z"]), min_size=1),
    max_size=4,
)


@given(AORS)
def test_any_address_comes_back(aors):
    aors = [aor for aor in aors if "\ufffe" not in aor and "\uffff" not in aor]
    assert [participant.aor for participant in read(write("call", aors)).participants] == aors
