"""Streams cut into messages."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs.sip.errors import MalformedError, SipError, TooLargeError
from srs.sip.framing import LARGEST_BODY, LARGEST_HEAD, PING, Framer

START = b"OPTIONS sip:x SIP/2.0\r\n"


def message(body=b"", name=b"Content-Length", ends=b"\r\n"):
    return START.replace(b"\r\n", ends) + name + b": %d" % len(body) + ends + ends + body


FRAMES = [message(), message(b"\r\n\r\nodd\n\nbody"), message(b"x" * 3000, b"l"), message(b"b", ends=b"\n"), PING]


@given(st.lists(st.sampled_from(FRAMES)), st.data())
def test_any_cut_gives_the_same_frames(frames, data):
    stream = b"".join(frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    framer = Framer()
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert [frame for piece in pieces for frame in framer.feed(piece)] == frames
    assert framer.waiting == b""


def test_octet_by_octet():
    framer = Framer()
    stream = b"".join(FRAMES)
    assert [frame for i in range(len(stream)) for frame in framer.feed(stream[i : i + 1])] == FRAMES


@pytest.mark.parametrize("field", [b"Content-Length:2", b"content-LENGTH :  2", b"l: 2", b"L\t:2 ", b"l:\r\n 2"])
def test_spellings_of_content_length(field):
    data = START + field + b"\r\n\r\nab"
    assert list(Framer().feed(data + data)) == [data, data]


def test_single_line_ends_between_messages_are_nothing():
    assert list(Framer().feed(b"\r\n" + message() + b"\n" + message() + b"\r\n\r")) == [message(), message()]


def test_ping_in_two_halves():
    framer = Framer()
    assert list(framer.feed(b"\r\n")) == []
    assert list(framer.feed(b"\r\n")) == [PING]


VIA = b"Via: SIP/2.0/TCP x\r\n"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (START + VIA, 400),
        (START + VIA + b"Content-Length: -1\r\n", 400),
        (START + VIA + b"Content-Length: many\r\n", 400),
        (START + VIA + b"Content-Length: 1\r\nl: 2\r\n", 400),
        (START + VIA + b"Content-Length: %d\r\n" % (LARGEST_BODY + 1), 513),
        (START + VIA + b"Content-Length: 99999999999999999999\r\n", 400),
    ],
)
def test_streams_that_cannot_be_cut(head, status):
    with pytest.raises(SipError) as raised:
        list(Framer().feed(head + b"\r\n"))
    assert raised.value.status == status
    assert raised.value.request is not None
    assert raised.value.request.method == "OPTIONS"


def test_frames_before_an_error_are_delivered():
    frames = Framer().feed(message() + b"GET / HTTP/1.1\r\n\r\n")
    assert next(frames) == message()
    with pytest.raises(MalformedError):
        next(frames)


def test_endless_header_block():
    framer = Framer()
    list(framer.feed(START + b"X: " + b"x" * (LARGEST_HEAD - len(START) - 3)))
    with pytest.raises(TooLargeError):
        list(framer.feed(b"x"))


def test_largest_body():
    data = message(b"x" * LARGEST_BODY)
    assert list(Framer().feed(data)) == [data]


@given(st.binary(max_size=300))
def test_garbage_raises_nothing_else(data):
    with contextlib.suppress(SipError):
        list(Framer().feed(data))
