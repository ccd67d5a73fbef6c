import base64
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs.siprec.body import MOST_MULTIPARTS, Body, Part, UnsupportedPart, _parts, _simple_parts, build, split

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nm=audio 4000 RTP/AVP 0\r\n"
XML = b"<?xml version='1.0'?>\n<recording><name>Zo\xc3\xab</name></recording>"
BOTH = Body(SDP, XML)


def multipart(*parts, boundary="b", end="--", eol="\r\n", after=""):
    """The parts, each (headers, content), between delimiters."""
    text = b""
    for headers, content in parts:
        head = "".join(f"{header}{eol}" for header in headers)
        text += f"--{boundary}{after}{eol}{head}{eol}".encode() + content + eol.encode()
    return text + (f"--{boundary}{end}{eol}".encode() if end is not None else b"")


SDP_PART = (["Content-Type: application/sdp"], SDP)
XML_PART = (["Content-Type: application/rs-metadata+xml", "Content-Disposition: recording-session"], XML)


def test_our_own_body():
    content_type, body = build(SDP, XML)
    assert content_type == "multipart/mixed;boundary=siprec"
    assert split(content_type, body) == BOTH
    assert body.endswith(b"\r\n--siprec--\r\n")


def test_our_boundary_is_not_in_the_parts():
    content_type, body = build(SDP + b"--siprec\r\n", XML)
    assert split(content_type, body) == Body(SDP + b"--siprec\r\n", XML)


@pytest.mark.parametrize(
    "content_type", ["application/sdp", "Application/SDP", "application/sdp;charset=utf-8", "", "text/plain"]
)
def test_bare_description(content_type):
    assert split(content_type, SDP) == Body(sdp=SDP)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/rs-metadata",
        "application/rs-metadata+xml",
        "application/RS-Metadata+XML; charset=x",
        "text/xml",
        "",
    ],
)
def test_bare_metadata(content_type):
    assert split(content_type, XML) == Body(metadata=XML)


@pytest.mark.parametrize("body", [b"", b"\r\n", b" \n "])
def test_no_body(body):
    assert split("application/sdp", body) == Body()
    assert split("multipart/mixed;boundary=b", body) == Body()


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/mixed;boundary=b",
        'multipart/mixed; boundary="b"',
        "Multipart/MIXED;Boundary=b",
        "multipart/mixed; boundary= b ; x=y",
        "multipart/mixed ; boundary = b",
        "multipart/related;boundary=b",
        "multipart/unheard-of;boundary=b",
        "multipart/mixed",
        "multipart/mixed;boundary=",
        "multipart/mixed;boundary=wrong",
        "",
    ],
)
def test_multipart_types(content_type):
    assert split(content_type, multipart(SDP_PART, XML_PART)) == BOTH


@pytest.mark.parametrize(
    "body",
    [
        multipart(XML_PART, SDP_PART),
        multipart(SDP_PART, XML_PART, after=" \t"),
        multipart(SDP_PART, XML_PART, end=""),  # closed like the others
        b"\r\n" + multipart(SDP_PART, XML_PART),
        b"This is a multipart message\r\n" + multipart(SDP_PART, XML_PART),
        multipart((["content-type:application/SDP"], SDP), (["CONTENT-TYPE:  application/rs-metadata"], XML)),
        multipart((["Content-Type: application/sdp", "Content-Length: 7"], SDP), XML_PART),
        multipart(([], SDP), ([], XML)),
        multipart(SDP_PART, (["Content-Type: text/xml"], XML)),
    ],
)
def test_multipart_forms(body):
    found = split("multipart/mixed;boundary=b", body)
    assert (found.sdp, found.metadata) == (SDP, XML)


def test_missing_close_delimiter():
    found = split("multipart/mixed;boundary=b", multipart(SDP_PART, XML_PART, end=None))
    assert (found.sdp, found.metadata and found.metadata.rstrip()) == (SDP, XML)


def test_boundary_of_dashes():
    boundary = "----=_Part_1"
    assert split(f'multipart/mixed; boundary="{boundary}"', multipart(SDP_PART, XML_PART, boundary=boundary)) == BOTH


def test_bare_line_feeds():
    parts = (SDP_PART[0], SDP.replace(b"\r\n", b"\n")), XML_PART
    assert split("multipart/mixed;boundary=b", multipart(*parts, eol="\n")) == Body(SDP.replace(b"\r\n", b"\n"), XML)


def test_one_part_alone():
    assert split("multipart/mixed;boundary=b", multipart(XML_PART)) == Body(metadata=XML)


def test_nested():
    inner = (["Content-Type: multipart/alternative;boundary=c"], multipart(SDP_PART, boundary="c"))
    assert split("multipart/mixed;boundary=b", multipart(inner, XML_PART)) == BOTH


def test_encoded_for_transfer():
    encoded = (["Content-Type: application/sdp", "Content-Transfer-Encoding: base64"], base64.encodebytes(SDP))
    assert split("multipart/mixed;boundary=b", multipart(encoded, XML_PART)) == BOTH


def test_the_type_goes_before_the_content():
    other = (["Content-Type: text/plain"], b"v=0 is how it begins")
    assert split("multipart/mixed;boundary=b", multipart(other, SDP_PART, XML_PART)).sdp == SDP


def test_a_type_of_ours_is_believed():
    assert split("application/sdp", XML) == Body(sdp=XML)
    assert split("application/rs-metadata", SDP) == Body(metadata=SDP)


def test_other_parts_are_kept():
    gtd = (["Content-Type: application/gtd", "Content-Disposition: signal;handling=optional"], b"IAM,")
    found = split("multipart/mixed;boundary=b", multipart(SDP_PART, gtd, XML_PART))
    assert found == Body(SDP, XML, (Part("application/gtd", b"IAM,"),))


@pytest.mark.parametrize("handling", ["handling=required", "Handling=REQUIRED", 'handling="required"'])
def test_a_part_that_must_be_understood(handling):
    gtd = (["Content-Type: application/gtd", f"Content-Disposition: signal;{handling}"], b"IAM,")
    with pytest.raises(UnsupportedPart, match="application/gtd"):
        split("multipart/mixed;boundary=b", multipart(SDP_PART, gtd, XML_PART))


def test_required_parts_that_are_understood():
    required = [
        ([*headers, "Content-Disposition: session;handling=required"], content)
        for headers, content in (SDP_PART, XML_PART)
    ]
    assert split("multipart/mixed;boundary=b", multipart(*required)) == BOTH


@pytest.mark.parametrize("content_type", ["application/gtd", "text/plain", "", "nonsense"])
def test_a_body_that_is_not_understood(content_type):
    with pytest.raises(UnsupportedPart):
        split(content_type, b"IAM,")


def test_nesting_has_an_end():
    body = SDP
    for depth in range(MOST_MULTIPARTS + 1):
        body = multipart(([f"Content-Type: multipart/mixed;boundary=n{depth}"], body), boundary=f"n{depth + 1}")
    with pytest.raises(UnsupportedPart, match="too deep"):
        split(f"multipart/mixed;boundary=n{MOST_MULTIPARTS + 1}", body)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_parts_come_back(sdp, xml):
    found = split(*build(b"v=0\r\n" + sdp, b"<recording>" + xml))
    assert found == Body(b"v=0\r\n" + sdp, b"<recording>" + xml)


WORDS = b'--b|--|\r\n|\n|Content-Type: |application/sdp|multipart/mixed;boundary=b|;|\xff|"|v=0'.split(b"|")
GARBAGE = st.lists(st.sampled_from(WORDS) | st.binary(max_size=5)).map(b"".join)


@given(st.text(max_size=40) | st.sampled_from(["multipart/mixed;boundary=b", 'multipart/mixed;boundary="']), GARBAGE)
def test_garbage_raises_nothing_else(content_type, body):
    try:
        found = split(content_type, body)
    except UnsupportedPart:
        return
    assert found.sdp is not None or found.metadata is not None or not body.strip() or len(found.others) != 1


HEADERS = [
    "Content-Type: application/sdp",
    "content-type:Application/RS-metadata+xml",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Type: multipart/mixed",
    "Content-Disposition: recording-session",
    "Content-Disposition: session;handling=required",
    "Content-Length: 12",
    "Content-Transfer-Encoding: base64",
    "X-Other: 1",
]
CONTENTS = [SDP, XML, b"", b"--b", b"\r\n--b\r\n", b"\r\n--b--\r\n", b"\r\n--bb\r\n", b"\r\n\r\n", b"\n--b\n"]


@given(
    st.lists(st.tuples(st.lists(st.sampled_from(HEADERS), max_size=3), st.sampled_from(CONTENTS)), max_size=3),
    st.sampled_from(
        ["multipart/mixed;boundary=b", 'Multipart/Mixed; boundary="b"', "multipart/related;boundary=b", ""]
    ),
    st.sampled_from(["--", "", None]),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from([b"", b"preamble\r\n", b"\r\n"]),
)
def test_simple_bodies_are_read_as_email_reads_them(parts, content_type, end, eol, preamble):
    body = preamble + multipart(*parts, end=end, eol=eol)
    found = _simple_parts(content_type, body)
    with mock.patch("srs.siprec.body._simple_parts", return_value=None):
        assert found is None or found == list(_parts(content_type, body))


def test_what_clients_send_is_simple():
    content_type, body = build(SDP, XML)
    assert len(_simple_parts(content_type, body)) == 2
    assert len(_simple_parts("multipart/mixed;boundary=b", multipart(SDP_PART, XML_PART))) == 2
