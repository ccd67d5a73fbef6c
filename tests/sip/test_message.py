"""Messages as they come, and responses to them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs.sip.errors import MalformedError, SipError
from srs.sip.message import MOST_FIELDS, Request, Response, make_request, parse, response

LINES = [
    "INVITE sip:srs@127.0.0.1 SIP/2.0",
    "Via: SIP/2.0/UDP 127.0.0.2:6000;branch=z9hG4bK1",
    "From: <sip:a@b>;tag=1",
    "To: <sip:c@d>",
    "Call-ID: without-at",
    "CSeq: 1 INVITE",
]


def head(*more, lines=LINES, end="\r\n"):
    return (end.join([*lines, *more]) + end + end).encode()


def without(name):
    return [line for line in LINES if not line.startswith(name)]


def replaced(name, line):
    return [line if old.startswith(name) else old for old in LINES]


@pytest.mark.parametrize("separator", [b"\r\n\r\n", b"\n\n", b"\r\n\n", b"\n\r\n"])
def test_header_block_ends_in_four_ways(separator):
    body = b"v=0\no=-\r\n\r\n\n\nlast"
    data = head().removesuffix(b"\r\n\r\n") + separator + body
    assert parse(data).body == body


def test_bare_lf_in_headers_never_touches_the_body():
    body = b"v=0\ns=-\n"
    message = parse(head(f"Content-Length: {len(body)}", end="\n") + body)
    assert (message.body, message.call_id) == (body, "without-at")


def test_folded_lines_become_one():
    message = parse(head("Subject: one\r\n two  \n\t three", "Content-Length: 0"))
    assert message.headers["Subject"] == "one two three"


def test_a_lone_cr_makes_no_line_of_the_answer():
    message = parse(head(lines=replaced("To", "To: <sip:c@d>\rX-Evil: 1")))
    assert b"\r" not in bytes(response(message, 200)).replace(b"\r\n", b"")


def test_names_in_any_form():
    message = parse(
        b"INVITE sip:x SIP/2.0\nv:SIP/2.0/UDP h\nF : <sip:a>;tag=1\nt:<sip:b>\ni:  c\ncSEQ: 7   INVITE\nl:   0\n\n"
    )
    assert message.via.host == "h"
    assert message.from_address.tag == "1"
    assert (message.call_id, message.cseq.sequence) == ("c", 7)


def test_several_lines_of_one_header_are_one_list():
    message = parse(head("Supported: timer, replaces", "Supported:", "k: 100rel", "Allow: "))
    assert message.list("Supported") == ["timer", "replaces", "100rel"]
    assert message.list("Allow") == []
    assert message.list("Require") == []


def test_unknown_and_damaged_headers_cost_nothing():
    message = parse(head('Call-Info: ;method="x"', "no colon", ": no name", "Bad Name: x", "X-New: y"))
    assert message.headers["X-New"] == "y"
    assert message.headers["Call-Info"] == ';method="x"'


def test_line_ends_before_the_start_line():
    assert parse(b"\r\n\r\n\n" + head()).method == "INVITE"


def test_octets_that_are_no_utf8_come_back():
    data = head(lines=replaced("To", "To: X")).replace(b"To: X", b'To: "J\xf6rg \xc3\xa9" <sip:c@d>')
    message = parse(data)
    assert b'"J\xf6rg \xc3\xa9"' in bytes(response(message, 200))
    assert message.to_address.name.encode("utf-8", "surrogateescape") == b"J\xf6rg \xc3\xa9"


@pytest.mark.parametrize(("length", "body"), [("4", b"body"), ("2", b"bo"), ("0", b"")])
def test_octets_beyond_content_length_are_dropped(length, body):
    assert parse(head(f"Content-Length: {length}") + b"body").body == body


def test_without_content_length_the_body_reaches_to_the_end():
    assert parse(head() + b"body").body == b"body"


@pytest.mark.parametrize("lines", [["Content-Length: 5"], ["l: -1"], ["l: x"], ["l: 4", "Content-Length: 3"], ["l:"]])
def test_wrong_content_length(lines):
    with pytest.raises(MalformedError, match="400") as raised:
        parse(head(*lines) + b"body")
    assert raised.value.request.method == "INVITE"


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq"])
def test_missing_header_can_be_answered(name):
    with pytest.raises(MalformedError, match=f"Missing {name}") as raised:
        parse(head(lines=without(name)))
    answer = response(raised.value.request, 400)
    assert answer.headers["Via"] == "SIP/2.0/UDP 127.0.0.2:6000;branch=z9hG4bK1"
    assert answer.headers.get(name) is None


@pytest.mark.parametrize("lines", [without("Via"), replaced("Via", "Via: nonsense"), replaced("INVITE", "INVITE")])
def test_what_cannot_be_answered(lines):
    with pytest.raises(SipError) as raised:
        parse(head(lines=lines))
    assert raised.value.request is None


def test_broken_ack_and_response_are_not_answered():
    for start in ("ACK sip:x SIP/2.0", "SIP/2.0 200 OK"):
        with pytest.raises(SipError) as raised:
            parse(head(lines=replaced("INVITE", start)).replace(b"1 INVITE", b"x"))
        assert raised.value.request is None


@pytest.mark.parametrize(
    "cseq", ["1 BYE", "INVITE", "1", "-1 INVITE", f"{2**31} INVITE", "9" * 5000 + " INVITE", "1 I V"]
)
def test_wrong_cseq(cseq):
    with pytest.raises(MalformedError, match="CSeq"):
        parse(head(lines=replaced("CSeq", f"CSeq: {cseq}")))


@pytest.mark.parametrize("start", ["INVITE  sip:x  SIP/2.0 ", "INVITE sip:x sip/2.0", "INVITE \t sip:x SIP/2.0"])
def test_blanks_and_case_of_the_start_line(start):
    assert parse(head(lines=replaced("INVITE", start))).uri == "sip:x"


@pytest.mark.parametrize(
    ("start", "status"),
    [
        ("INVITE sip:x; lr SIP/2.0", 400),
        ("INVITE sip:x", 400),
        ("GET / HTTP/1.1", 400),
        ("INVITE sip:x SIP/7.0", 505),
        ("SIP/2.0 99 x", 400),
        ("SIP/2.0 4294967301 x", 400),
        ("INV{ITE sip:x SIP/2.0", 400),
    ],
)
def test_wrong_start_lines(start, status):
    with pytest.raises(MalformedError) as raised:
        parse(head(lines=replaced("INVITE", start)))
    assert raised.value.status == status


def test_response():
    message = parse(head(lines=replaced("INVITE", "SIP/2.0 183 Session  Progress \u00e9")))
    assert isinstance(message, Response)
    assert (message.code, message.phrase) == (183, "Session  Progress \u00e9")
    assert parse(head(lines=replaced("INVITE", "SIP/2.0 200"))).phrase == ""


def test_truncated_header_block():
    with pytest.raises(MalformedError, match="Not Terminated"):
        parse(head().removesuffix(b"\r\n"))


@pytest.mark.timeout(5)
def test_too_many_headers():
    with pytest.raises(SipError, match="513"):
        parse(head(*(f"X-{i}: y" for i in range(30000))))
    parse(head(*(f"X-{i}: y" for i in range(MOST_FIELDS - len(LINES) + 1))))


def test_contact():
    assert parse(head("m: <sip:a@b>;+sip.src, <sip:c>")).contact.parameters == {"+sip.src": None}
    assert parse(head()).contact is None
    assert parse(head("Contact:")).contact is None


def test_response_copies_what_it_must():
    vias = ["Via: SIP/2.0/UDP one, SIP/2.0/UDP two", "Via: SIP/2.0/UDP three"]
    request = parse(
        head("Record-Route: <sip:p;lr>", "Subject: x", lines=without("Via")[:1] + vias + without("Via")[1:])
    )
    made = response(request, 200, to_tag="mine")
    assert made.list("Via") == ["SIP/2.0/UDP one", "SIP/2.0/UDP two", "SIP/2.0/UDP three"]
    assert made.headers["To"] == "<sip:c@d>;tag=mine"
    assert made.headers["Record-Route"] == "<sip:p;lr>"
    assert made.headers.get("Subject") is None
    assert bytes(made).startswith(b"SIP/2.0 200 OK\r\n")
    assert b"\r\nContent-Length: 0\r\n" in bytes(made)
    assert response(request, 404, "Nope").phrase == "Nope"
    assert response(request, 486).headers.get("Record-Route") is None


def test_a_tag_that_is_there_stays():
    request = parse(head(lines=replaced("To", "To: <sip:c@d;tag=uri>;tag=2")))
    assert response(request, 200, to_tag="mine").headers["To"] == "<sip:c@d;tag=uri>;tag=2"


def test_content_length_follows_the_body():
    request = make_request("INFO", "sip:x", [("Content-Length", "99")], b"abc")
    assert b"Content-Length: 3\r\n\r\nabc" in bytes(request)
    request.set_body("text/plain", b"longer")
    assert bytes(request).endswith(b"Content-Length: 6\r\nContent-Type: text/plain\r\n\r\nlonger")


VALUES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30).map(str.strip)


@given(st.lists(st.tuples(st.from_regex(r"X-[A-Za-z0-9]{1,9}", fullmatch=True), VALUES)), st.binary())
def test_round_trip(fields, body):
    request = Request("INFO", "sip:x", body)
    for name, value in [
        ("Via", "SIP/2.0/UDP h"),
        ("From", "f"),
        ("To", "t"),
        ("Call-ID", "c"),
        ("CSeq", "1 INFO"),
        *fields,
    ]:
        request.headers.add(name, value)
    again = parse(bytes(request))
    assert bytes(again) == bytes(request)
    assert again.body == body
    assert {name: again.headers.getlist(name) for name in again.headers.keys()} == {  # noqa: SIM118 - no mapping
        name: request.headers.getlist(name)
        for name in request.headers.keys()  # noqa: SIM118
    }


@given(st.binary(max_size=400))
def test_garbage(data):
    with contextlib.suppress(SipError):
        parse(data)
