"""The endpoint against anything a network brings: damaged messages, and messages in the spirit of RFC 4475."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs.sip.events import Event, Rejected, RequestReceived

BEGIN = b"SIP/2.0/UDP 127.0.0.2:6000;branch=z9hG4bK-OPTIONS-1"


def options(talk, *replacements, **more):
    data = talk.request("OPTIONS", **more)
    for old, new in replacements:
        assert old in data
        data = data.replace(old, new)
    return data


def test_keep_alives_are_silence(talk):
    for data in (b"", b"\r\n\r\n", b"\0\0\0\0", b"\r\n"):
        talk >> data
    talk.silent()
    assert talk.endpoint.counts["keep-alives"] == 4
    assert talk.events == []


VALID = {
    "odd names and folding": [(b"To: <sip:srs@example.com>", b'TO :\r\n "J \\"x\\" ;<y>" <sip:v@e;p=x>   ;  q ')],
    "escaped octets": [(b"sip:srs@127.0.0.1", b"sip:%00%s%C3%a9@127.0.0.1;%6c")],
    "semicolon in the user": [(b"sip:srs@127.0.0.1", b"sip:u;par=u%40example.net@127.0.0.1")],
    "unknown transport in a lower Via": [(BEGIN, BEGIN + b",SIP/2.0/UNKNOWN h")],
    "octets after the message": [
        (b"Content-Length: 0\r\n\r\n", b"Content-Length: 0\r\n\r\nINVITE sip:x SIP/2.0\r\n\r\n")
    ],
    "unknown headers": [(b"Contact:", b"Date: nonsense\r\nNewFangled: \x01\x02\r\nContact:")],
    "long values": [(b"Contact:", b"Subject: " + b"x" * 4000 + b"\r\nContact:")],
    "no Max-Forwards": [(b"Max-Forwards: 70\r\n", b"")],
    "broadcast address in a lower Via": [(BEGIN, BEGIN + b"\r\nVia: SIP/2.0/UDP 255.255.255.255")],
    "tag of an old client missing": [(b";tag=peer", b"")],
    "wildcard contact": [(b"<sip:alice@127.0.0.2:6000>", b"*")],
    "quote that does not close": [(b"<sip:alice@example.com>", b'"Alice <sip:alice@example.com>')],
    "no blank anywhere": [(b": ", b":")],
}


@pytest.mark.parametrize("name", VALID)
def test_odd_but_good(talk, name):
    data = options(talk, *VALID[name])
    (talk >> data).answer(200)
    assert talk.log == [(0.0, "200 OPTIONS")]


REFUSED = {
    "negative Content-Length": ([(b"Length: 0", b"Length: -999")], 400),
    "Content-Length beyond the end": ([(b"Length: 0", b"Length: 9999")], 400),
    "CSeq out of range": ([(b"1 OPTIONS", b"36893488147419103232 OPTIONS")], 400),
    "method differs from CSeq": ([(b"1 OPTIONS", b"1 INVITE")], 400),
    "two lengths": ([(b"Content-Length: 0", b"Content-Length: 0\r\nContent-Length: 5")], 400),
    "missing Call-ID": ([(b"Call-ID: call-1@example.com\r\n", b"")], 400),
    "header block cut": ([(b"Content-Length: 0\r\n\r\n", b"Content-Length: 0\r\n")], 400),
    "unknown scheme": ([(b"sip:srs@127.0.0.1", b"nobodyKnowsThisScheme:totallyopaquecontent")], 416),
    "URI in brackets": ([(b"sip:srs@127.0.0.1", b"<sip:srs@127.0.0.1>")], 416),
    "unknown extension": ([(b"Contact:", b"Require: nothingSupportsThis, nor:this\r\nContact:")], 420),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_an_answer(talk, name):
    replacements, status = REFUSED[name]
    data = options(talk, *replacements)
    talk >> data
    assert [said.split()[0] for _, said in talk.log] == [str(status)]
    (event,) = talk.happened(Rejected)
    assert (event.status, event.data) == (status, data)
    assert not talk.happened(RequestReceived)


def test_the_400_of_a_broken_request_finds_its_way(talk):
    talk >> talk.request("INVITE", body=b"x").replace(b"Length: 1", b"Length: 2") << "400 INVITE"
    send = talk.last["400 INVITE"]
    assert send.flow.remote == ("127.0.0.2", 6000)
    assert send.message.to_address.tag


DROPPED = {
    "no Via": [(b"Via", b"Wia")],
    "unreadable Via": [(BEGIN, b"nonsense")],
    "no start line": [(b"OPTIONS sip:srs@127.0.0.1 SIP/2.0\r\n", b"")],
    "huge response code": [(b"OPTIONS sip:srs@127.0.0.1 SIP/2.0", b"SIP/2.0 4294967301 better not")],
    "response of nobody": [(b"OPTIONS sip:srs@127.0.0.1 SIP/2.0", b"SIP/2.0 200 OK")],
}


@pytest.mark.parametrize("name", DROPPED)
def test_dropped(talk, name):
    talk >> options(talk, *DROPPED[name])
    talk.silent()
    assert sum(talk.endpoint.counts.values()) == 1


@given(data=st.data())
def test_damaged_messages_raise_nothing(new_talk, data):
    """Any octets changed, cut out or put in, in the middle of a conversation: no exception, and the dialog goes on."""
    talk = new_talk()
    talk.established()
    method = data.draw(st.sampled_from(["INVITE", "ACK", "BYE", "CANCEL", "INFO", "UPDATE"]))
    octets = bytearray(
        talk.within(method, 2, body=b"v=0", headers=[("Require", "siprec"), ("Record-Route", "<sip:p>")])
    )
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(octets)))
        octets[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=4))
    talk.endpoint.receive(bytes(octets), talk.flow, talk.now)
    assert all(isinstance(event, Event) for event in talk.endpoint.events())
    talk.endpoint.handle_timers(100.0)


@given(methods=st.lists(st.sampled_from(["INVITE", "ACK", "BYE", "CANCEL", "INFO"]), max_size=12), data=st.data())
def test_any_order_of_requests(new_talk, methods, data):
    """Good messages in any order, answered or not: no exception, and nothing is left in the end."""
    talk = new_talk()
    for cseq, method in enumerate(methods, 1):
        number = data.draw(st.sampled_from([cseq, max(1, cseq - 1), 1]))
        to_tag = data.draw(st.sampled_from(["", talk.tag, "other"]))
        talk >> talk.request(method, number, to_tag=to_tag)
        if data.draw(st.booleans()):
            for event in talk.happened(RequestReceived):
                talk.answer(data.draw(st.sampled_from([100, 200, 486])), event=event)
        talk.wait(data.draw(st.sampled_from([0, 0.5, 40])))
    for event in talk.happened(RequestReceived):
        talk.answer(486, event=event)
    talk.wait(100)
    assert talk.endpoint.next_timer() is None
    assert not talk.endpoint._transactions
    assert not talk.endpoint._answering
    assert not talk.endpoint._acceptances
