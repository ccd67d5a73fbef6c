"""Every metadata example and call flow of RFC 7865, 7866 and 8068: parties, streams and history after each message."""

import pytest
from lxml import etree
from support.rfc_flows import DOCUMENTS, FLOWS

from srs.siprec.answer import answer
from srs.siprec.metadata import read
from srs.siprec.sdp import parse
from srs.siprec.session import parties
from srs.siprec.split import split

SECOND = 1_000_000_000
OFFER = """\
v=0
o=SRC 1 1 IN IP4 192.0.2.1
s=-
c=IN IP4 192.0.2.1
t=0 0
m=audio 12240 RTP/AVP 0 4 8
a=sendonly
a=label:1
m=video 22456 RTP/AVP 98
a=rtpmap:98 H264/90000
a=fmtp:98 profile-level-id=42A01E; sprop-parameter-sets=Z0IACpZTBYmI,aMljiA==
a=sendonly
a=label:2
m=audio 12242 RTP/AVP 0 4 8
a=sendonly
a=label:3
m=video 22458 RTP/AVP 98
a=rtpmap:98 H264/90000
a=fmtp:98 profile-level-id=42A01E; sprop-parameter-sets=Z0IACpZTBYmI,aMljiA==
a=sendonly
a=label:4
""".replace("\n", "\r\n").encode()


def user(aor):
    return aor.removeprefix("sip:").partition("@")[0]


def play(dialog, flow):
    """Play a flow; returns the session at its end, and who was heard after each step."""
    heard = []
    for step in flow.steps:
        content_type, body = step.body()
        options = {"content_type": content_type, "body": body.encode()}
        if step.method == "BYE":
            session = dialog.says("BYE", **options)
        elif step.method == "INVITE" and step.offer is None:
            dialog.says("INVITE", **options)
            dialog.late_offer((30000, 30002))
            session = dialog.says("ACK")
        else:
            session = dialog.agrees(step.method, **options)
        open_ = [each for each in session.history if each.until_ns is None]
        heard.append([(session.streams[each.stream], user(each.participant.aor)) for each in open_])
    if session.ended_ns is None:
        session = dialog.says("BYE")
    return session, heard


@pytest.mark.parametrize("name", FLOWS)
def test_who_is_heard_after_each_message(dialog, name):
    _, heard = play(dialog, FLOWS[name])
    audio = [sorted((each.label, who) for each, who in now if each.kind == "audio") for now in heard]
    assert audio == [list(step.heard) for step in FLOWS[name].steps]


@pytest.mark.parametrize("name", FLOWS)
def test_parties_and_history(dialog, name):
    flow = FLOWS[name]
    session, _ = play(dialog, flow)
    assert session.problems == ()
    calls = split(session)
    assert [[" + ".join(map(user, each.aor.split(" + "))) for each in parties(call).values()] for call in calls] == [
        list(each) for each in flow.recordings
    ]
    times = step_times(session, flow)
    for call, spoke in zip(calls, flow.spoke, strict=True):
        told = (
            (
                call.streams[each.stream].label,
                user(each.participant.aor),
                *map(times.index, (each.since_ns, each.until_ns)),
            )
            for each in call.history
        )
        assert sorted(told) == sorted(spoke)


def step_times(session, flow):
    """When each step took effect, and the end: a request a second, its answer a second later, an ACK one more."""
    times, now = [], 0
    for step in flow.steps:
        now += 1 if step.method == "BYE" else 2
        times.append(now * SECOND)
        now += step.offer is None and step.method == "INVITE"
    return times if session.ended_ns == times[-1] else [*times, session.ended_ns]


@pytest.mark.parametrize("path", sorted(DOCUMENTS.glob("*.xml")), ids=lambda path: path.stem)
def test_each_document_is_read_whole(path):
    """Nothing of it is a problem, and each of its elements is found."""
    found, root = read(path.read_bytes()), etree.parse(path).getroot()
    own = f"{{{root.nsmap[None]}}}"
    assert found.problems == ()
    assert found.complete == (root.findtext(f"{own}datamode") == "complete")
    for name, items in (
        ("session", found.sessions),
        ("participant", found.participants),
        ("stream", found.streams),
        ("participantsessionassoc", found.memberships),
        ("participantstreamassoc", found.uses),
    ):
        assert len(items) == len(root.findall(f"{own}{name}")), name
    assert all(each.name for each in found.participants if root.findall(f".//{own}name"))
    assert not any(
        " " in each or "\n" in each for info in found.sessions for each in (*info.sip_session_ids, info.group)
    )


def test_all_examples_are_played():
    played = {step.document for flow in FLOWS.values() for step in flow.steps}
    assert played == {path.stem for path in DOCUMENTS.glob("*.xml")}


def test_the_answer_to_the_offer_of_rfc_7866_figure_5():
    """Figure 6, but that every payload type is answered (SRS-72)."""
    offered, ports = parse(OFFER), {place: 10000 + 2 * place for place in range(4)}
    made = answer(offered, ports, address="192.0.2.20", session_id=1, previous=None)
    assert [(line.kind, line.port, line.label, line.direction) for line in made.media] == [
        ("audio", 10000, "1", "recvonly"),
        ("video", 10002, "2", "recvonly"),
        ("audio", 10004, "3", "recvonly"),
        ("video", 10006, "4", "recvonly"),
    ]
    assert [line.formats for line in made.media] == [line.formats for line in offered.media]
    assert "a=fmtp:98 profile-level-id=42A01E; sprop-parameter-sets=Z0IACpZTBYmI,aMljiA==" in str(made)
