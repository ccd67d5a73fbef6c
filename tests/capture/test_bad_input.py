"""What is wrong gets a clear answer or a counted drop, and no other call notices."""

import re
import socket
import time

import pytest
from support.calls import Talk, make_plan
from support.recorder import Recorder, udp

from srs.sip.message import parse

SDP = """\
v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 40000 RTP/AVP 0
a=label:1
a=sendonly
"""
XML = '<recording xmlns="urn:ietf:params:xml:ns:recording:1"><participant participant_id="a"></recording'
BODY = """\
--b
Content-Type: application/sdp

{sdp}
--b
Content-Type: application/rs-metadata+xml

{xml}
--b--
"""
HEAD = """\
INVITE sip:srs@{host} SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK{number};rport
From: <sip:a@127.0.0.1>;tag={number}
To: <sip:srs@127.0.0.1>
Call-ID: bad-{number}
CSeq: 1 INVITE
Contact: <sip:a@127.0.0.1>;+sip.src
Require: siprec
Content-Type: multipart/mixed;boundary=b
Content-Length: {length}

"""


def invite(recorder: Recorder, number: int, sdp: str = SDP, xml: str = XML, length: int | None = None) -> bytes:
    """An INVITE of a recording session with these parts."""
    body = BODY.format(sdp=sdp, xml=xml).replace("\n", "\r\n")
    length = len(body) if length is None else length
    head = HEAD.format(host=recorder.host, number=number, length=length).replace("\n", "\r\n")
    return (head + body).encode()


def answer(recorder: Recorder, message: bytes) -> bytes:
    """The final response to a message over UDP; b"" if none comes."""
    with udp(recorder.host) as sock:
        sock.settimeout(5.0)
        sock.sendto(message, (recorder.host, recorder.port))
        while True:
            try:
                reply = sock.recv(65535)
            except TimeoutError:
                return b""
            if not reply.startswith(b"SIP/2.0 1"):
                return reply


def status(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1]) if reply else 0


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (lambda recorder: invite(recorder, 1, sdp="m=audio nonsense\n"), 400),
        (lambda recorder: invite(recorder, 2, length=9999), 400),
        (lambda recorder: invite(recorder, 3).replace(b"CSeq: 1 INVITE\r\n", b""), 400),
        (lambda recorder: invite(recorder, 4).replace(b"Require: siprec", b"Require: siprec, teleport"), 420),
        (lambda recorder: invite(recorder, 5).replace(b"INVITE", b"SUMMON"), 501),
        (
            lambda recorder: invite(recorder, 6).replace(b"<sip:srs@127.0.0.1>\r", b"<sip:srs@127.0.0.1>;tag=none\r"),
            481,
        ),
        (lambda recorder: invite(recorder, 7, sdp=SDP.replace("audio 40000 RTP/AVP 0", "image 40000 udptl t38")), 488),
        (lambda recorder: b"\x00\xff" * 500, 0),
        (lambda recorder: invite(recorder, 8)[:200], 400),
    ],
)
def test_a_bad_request_is_refused_and_leaves_nothing(recorder, message, expected: int) -> None:
    assert status(answer(recorder, message(recorder))) == expected
    assert recorder.captures() == []
    assert recorder.listed() == []


@pytest.mark.parametrize(
    "xml", [XML + " " * (2 << 20) + ">", f"<recording>{'<a>' * 100_000}"], ids=["2 MB", "nested 100,000 deep"]
)
def test_huge_metadata_are_refused_and_the_call_is_recorded(recorder, xml: str) -> None:
    reply = b""
    with socket.create_connection((recorder.host, recorder.port), timeout=30) as stream:
        number = len(xml)
        stream.sendall(invite(recorder, number, xml=xml))
        while not re.search(rb"SIP/2.0 200.*\r\n\r\nv=0", reply, re.DOTALL):
            reply += stream.recv(65535)
        bye = HEAD.replace("1 INVITE", "2 BYE").replace("INVITE", "BYE").replace("\n", "\r\n")
        bye = bye.format(host=recorder.host, number=number, length=0)
        tag = parse(reply[reply.index(b"SIP/2.0 200") :]).to_address.tag
        stream.sendall(bye.replace("To: <sip:srs@127.0.0.1>", f"To: <sip:srs@127.0.0.1>;tag={tag}").encode())
        (recording,) = recorder.recordings(1)
    assert (recording["state"], recording["call_id"]) == ("ready", f"bad-{number}")
    assert [leg["label"] for leg in recording["legs"]] == ["1"]
    assert int(recorder.shown(recording["id"])["facts"]["headers"]["x-srs-abridged"]) > len(xml)


def test_calls_do_not_notice_garbage_and_strangers(recorder) -> None:
    talk = Talk(make_plan(recorder, 3.0))
    time.sleep(1.0)
    (capture,) = recorder.captures()
    ports = [int(port) for port in re.findall(rb"m=audio (\d+) ", capture.read_bytes().split(b"SIP/2.0 200", 1)[1])]
    stranger = bytes([0x80, 0, 0, 1, 0, 0, 0, 0, 0xDE, 0xAD, 0xBE, 0xEF]) + bytes(160)
    with udp(recorder.host) as sock, socket.create_connection((recorder.host, recorder.port)) as stream:
        for port in [*ports, *(port + 1 for port in ports)]:
            sock.sendto(b"garbage", (recorder.host, port))
            sock.sendto(stranger, (recorder.host, port))
        sock.sendto(b"INVITE\r\n\r\n", (recorder.host, recorder.port))
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert talk.outcomes()[0].packets == (150, 150)
    (recording,) = recorder.recordings(1)
    assert recording["state"] == "ready"
    assert [(leg["packets"], leg["lost"]) for leg in recording["legs"]] == [(150, 0), (150, 0)]


def test_broken_metadata_is_no_reason_not_to_record(recorder) -> None:
    reply = answer(recorder, invite(recorder, 9))
    assert status(reply) == 200
    assert len(recorder.captures()) == 1


def test_no_port_is_left(start_recorder) -> None:
    recorder = start_recorder(SRS_MEDIA__PORTS="61000-61003")
    talk = Talk(make_plan(recorder, 2.0))
    time.sleep(1.0)
    reply = answer(recorder, invite(recorder, 1))
    assert status(reply) == 503
    assert b"\r\nRetry-After: " in reply
    talk.outcomes()
    recorder.recordings(1)
    assert status(answer(recorder, invite(recorder, 2))) == 200
