import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rtp.codecs import STATIC, Codec
from srs.siprec.sdp import MediaLine, Sdp, SdpError, parse

OFFER = b"""v=0
o=gateway 1 1 IN IP4 192.0.2.7
s=call
c=IN IP4 192.0.2.7
t=0 0
m=audio 4000 RTP/AVP 18 0 111 101
a=rtpmap:111 OPUS/48000/2
a=rtpmap:101 telephone-event/8000
a=fmtp:18 annexb=no
a=fmtp:101 0-16
a=label:1
a=sendonly
"""


def lines(*texts):
    return "\n".join(("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", *texts)).encode()


def line(*texts, session=()):
    """The only m-line of a description with these lines below it."""
    return parse(lines("c=IN IP4 192.0.2.1", *session, "m=audio 4000 RTP/AVP 0", *texts)).media[0]


def test_reads_an_offer():
    offer = parse(OFFER)
    assert offer.origin == "gateway 1 1 IN IP4 192.0.2.7"
    assert (offer.name, offer.address, offer.version) == ("call", "192.0.2.7", 1)
    [audio] = offer.media
    assert (audio.kind, audio.port, audio.transport, audio.address) == ("audio", 4000, "RTP/AVP", "192.0.2.7")
    assert (audio.label, audio.direction, audio.sends) == ("1", "sendonly", True)
    assert audio.codecs == (
        Codec(18, "G729", 8000, fmtp="annexb=no"),
        STATIC[0],
        Codec(111, "OPUS", 48000, 2),
        Codec(101, "TELEPHONE-EVENT", 8000, fmtp="0-16"),
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end):
    assert parse(OFFER.replace(b"\n", end.encode())) == parse(OFFER)


@pytest.mark.parametrize("around", [b"\r\n\r\n%b\r\n\r\n", b"\xef\xbb\xbf%b", b"%b\0", b"  \n%b  "])
def test_blank_around_the_description(around):
    assert parse(around % OFFER) == parse(OFFER)


@pytest.mark.parametrize("written", ["a=label:1", "a= label:1", "a=label: 1 ", "a=Label:1", " a=label:1", "A=label:1"])
def test_label_as_it_is_written(written):
    assert line(written).label == "1"


@pytest.mark.parametrize("written", ["a=rtpmap:0", "a=label", "a=label:", "a=3gOoBTC"])
def test_no_label(written):
    assert line(written).label is None


@pytest.mark.parametrize(
    "missing", [b"c=IN IP4 192.0.2.7\n", b"t=0 0\n", b"s=call\n", b"v=0\n", b"o=gateway 1 1 IN IP4 192.0.2.7\n"]
)
def test_missing_lines(missing):
    assert parse(OFFER.replace(missing, b"")).media[0].codecs == parse(OFFER).media[0].codecs


def test_connection_of_the_media_goes_before_that_of_the_session():
    assert line("c=IN IP4 198.51.100.1").address == "198.51.100.1"
    assert parse(lines("m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::1")).media[0].address == "2001:db8::1"
    assert parse(lines("m=audio 4000 RTP/AVP 0")).media[0].address is None
    assert line("c=IN IP4 233.252.0.1/127").address == "233.252.0.1"


@pytest.mark.parametrize(
    ("session", "own", "direction"),
    [
        ((), (), "sendrecv"),
        (("a=sendonly",), (), "sendonly"),
        (("a=sendonly",), ("a=inactive",), "inactive"),
        (("a=inactive",), ("a=sendrecv",), "sendrecv"),
        ((), ("a=SendOnly",), "sendonly"),
    ],
)
def test_direction_inherits(session, own, direction):
    assert line(*own, session=session).direction == direction


@pytest.mark.parametrize(
    ("texts", "sends"),
    [
        (("a=sendonly",), True),
        ((), True),
        (("a=inactive",), False),
        (("a=recvonly",), False),
        (("c=IN IP4 0.0.0.0",), False),
        (("c=IN IP6 ::", "a=sendonly"), False),
    ],
)
def test_who_is_held_does_not_send(texts, sends):
    assert line(*texts).sends is sends


@pytest.mark.parametrize(
    ("formats", "texts", "codecs"),
    [
        ("8", (), (STATIC[8],)),
        ("2 0", (), (Codec(2, "G726-32", 8000), STATIC[0])),
        ("19", (), (Codec(19, "CN", 8000),)),
        ("0 0", (), (STATIC[0],)),
        ("97", (), ()),
        ("97", ("a=rtpmap:97 iLBC/8000", "a=fmtp:97 mode=20"), (Codec(97, "ILBC", 8000, fmtp="mode=20"),)),
        ("97", ("a=RTPMAP:97  speex / 16000",), (Codec(97, "SPEEX", 16000),)),
        ("97", ("a=rtpmap:97 speex",), (Codec(97, "SPEEX", 8000),)),
        ("97", ("a=rtpmap:97 speex/0",), ()),
        ("0", ("a=rtpmap:0 nonsense/", "a=fmtp:x"), (Codec(0, "NONSENSE", 8000),)),
        ("0", ("a=rtpmap:999 x/8000", "a=rtpmap:"), (STATIC[0],)),
        ("128 0000000 x", (), ()),
    ],
)
def test_codecs(formats, texts, codecs):
    assert parse(lines(f"m=audio 4000 RTP/AVP {formats}", *texts)).media[0].codecs == codecs


def test_no_codecs_without_rtp():
    assert parse(lines("m=image 4000 udptl t38")).media[0].codecs == ()
    assert parse(lines("m=image 4000 udptl 0")).media[0].codecs == ()


def test_several_lines_keep_their_order():
    texts = ("m=audio 1 RTP/AVP 0", "a=label:b", "m=video 0 RTP/AVPF 96", "m=audio 65535/2 rtp/savp 8", "a=label:a")
    media = parse(lines(*texts)).media
    assert [(m.kind, m.port, m.transport, m.label) for m in media] == [
        ("audio", 1, "RTP/AVP", "b"),
        ("video", 0, "RTP/AVPF", None),
        ("audio", 65535, "RTP/SAVP", "a"),
    ]


def test_what_is_not_understood_is_kept():
    read = line(
        "b=TIAS:64000", "x=unknown", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc", "a=rtcp:4001", "a=3gOoBTC"
    )
    assert read.others == ("b=TIAS:64000", "x=unknown")
    assert read.values("crypto") == ["1 AES_CM_128_HMAC_SHA1_80 inline:abc"]
    assert (read.value("rtcp"), read.value("3gOoBTC".lower()), read.value("rtcp-mux")) == ("4001", "", None)
    assert parse(lines("b=AS:64", "m=audio 1 RTP/AVP 0")).others == ("b=AS:64",)


@pytest.mark.parametrize(
    "broken",
    [
        "m=audio",
        "m=audio 4000",
        "m=audio x RTP/AVP 0",
        "m=audio 65536 RTP/AVP 0",
        "m=audio -1 RTP/AVP 0",
        "m=audio ² RTP/AVP 0",
    ],
)
def test_an_m_line_that_cannot_be_read(broken):
    with pytest.raises(SdpError, match="line 4: media line not understood") as error:
        parse(lines(broken, "a=label:1"))
    assert (error.value.line, error.value.text) == (4, broken)


@pytest.mark.parametrize("text", [b"", b"\r\n", b"hello", b"<recording/>", b"\xff\xfe\0"])
def test_no_description_at_all(text):
    with pytest.raises(SdpError, match="no session description"):
        parse(text)


def test_written_in_the_order_of_the_rfc():
    described = Sdp(
        media=(
            MediaLine("audio", 30000, "RTP/AVP", ("0",), "::1", (("label", "1"), ("recvonly", None)), ("b=AS:64",)),
        ),
        origin="srs 1 1 IN IP6 ::1",
        address="::1",
        attributes=(("tool", "srs"),),
        others=("k=clear:x", "i=what"),
    )
    assert str(described).split("\r\n") == [
        "v=0", "o=srs 1 1 IN IP6 ::1", "s=-", "i=what", "c=IN IP6 ::1", "t=0 0", "k=clear:x", "a=tool:srs",
        "m=audio 30000 RTP/AVP 0", "b=AS:64", "a=label:1", "a=recvonly", "",
    ]  # fmt: skip


def test_the_version_of_an_odd_origin():
    assert [parse(f"v=0\no={origin}".encode()).version for origin in ("", "- 1", "- 1 x IN", "- 1 7 IN")] == [
        None,
        None,
        None,
        7,
    ]


SDP_LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "m=audio 4000 RTP/AVP 0 96",
                "m=video 0 RTP/AVPF 97",
                "a=sendonly",
                "a=inactive",
                "c=IN IP4 192.0.2.9",
                "a=label:7",
                "a=rtpmap:96 opus/48000/2",
                "a=fmtp:96 x=1",
                "t=0 0",
                "t=1 2",
                "b=AS:64",
                "s=x",
                "o=- 1 2 IN IP4 a",
                "a=a:b:c",
            ]
        ),
        st.text(st.characters(codec="utf-8"), max_size=20).map(lambda text: f"a={text}"),
        st.text(st.characters(codec="utf-8"), max_size=20),
    )
)


@given(SDP_LINES)
@example(["a=", "a=:", "a= x : y "])
def test_what_was_read_and_written_reads_the_same(texts):
    try:
        first = parse("\r\n".join(["v=0", "t=0 0", *texts]).encode())
    except SdpError:
        return
    assert parse(str(first).encode()) == first


@given(st.binary(max_size=300) | st.text().map(lambda text: b"m=audio 1 RTP/AVP 0 96\n" + text.encode()))
def test_garbage_raises_nothing_else(text):
    try:
        read = parse(text)
    except SdpError:
        return
    assert all(codec.clock_rate > 0 for m in read.media for codec in m.codecs)
    again = parse(str(read).encode())
    assert (again.media, again.origin, again.attributes) == (read.media, read.origin, read.attributes)
