from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs.siprec.answer import NotAcceptable, answer, offer
from srs.siprec.sdp import parse


def answered(offered, ports=None, *, address="127.0.0.1", previous=None, random=bytes):
    ports = {index: 30000 + 2 * index for index in range(8)} if ports is None else ports
    return answer(parse(offered), ports, address=address, session_id=42, previous=previous, random=random)


def test_the_whole_answer(sdp):
    offered = sdp(
        ("audio 4000 RTP/AVP 0 101", "rtpmap:101 Telephone-Event/8000", "fmtp:101 0-16", "label:x", "sendonly")
    )
    assert str(answered(offered)).split("\r\n") == [
        "v=0",
        "o=srs 42 1 IN IP4 127.0.0.1",
        "s=-",
        "c=IN IP4 127.0.0.1",
        "t=0 0",
        "m=audio 30000 RTP/AVP 0 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 Telephone-Event/8000",
        "a=fmtp:101 0-16",
        "a=label:x",
        "a=recvonly",
        "",
    ]


def test_every_line_is_answered_in_its_place(sdp):
    offered = sdp(
        ("audio 4000 RTP/AVP 0", "label:1"),
        ("video 4002 RTP/AVPF 96", "label:2", "rtpmap:96 H264/90000"),
        ("image 4004 udptl t38",),
        ("audio 0 RTP/AVP 8", "label:3"),
        ("message 4006 TCP/MSRP *",),
        ("audio 4008 RTP/AVP 8", "label:4"),
    )
    made = answered(offered, {0: 30000, 3: 30006, 5: 30010})
    assert [(line.kind, line.port, line.transport, line.label) for line in made.media] == [
        ("audio", 30000, "RTP/AVP", "1"),
        ("video", 0, "RTP/AVPF", "2"),
        ("image", 0, "UDPTL", None),
        ("audio", 0, "RTP/AVP", "3"),
        ("message", 0, "TCP/MSRP", None),
        ("audio", 30010, "RTP/AVP", "4"),
    ]
    assert made.media[2].formats == ("t38",)


def test_video_is_taken_where_there_is_a_port(sdp):
    offered = sdp(("audio 4000 RTP/AVP 0",), ("video 4002 RTP/AVPF 96", "rtpmap:96 H264/90000", "sendonly"))
    video = answered(offered).media[1]
    assert (video.port, video.transport, video.direction) == (30002, "RTP/AVPF", "recvonly")


@pytest.mark.parametrize(
    ("offered", "direction"),
    [
        ("sendonly", "recvonly"),
        ("sendrecv", "recvonly"),
        ("mid:1", "recvonly"),
        ("inactive", "inactive"),
        ("recvonly", "inactive"),
    ],
)
def test_direction(sdp, offered, direction):
    [line] = answered(sdp(("audio 4000 RTP/AVP 0", offered))).media
    assert (line.direction, line.port) == (direction, 30000)


@pytest.mark.parametrize("nowhere", [b"IN IP4 0.0.0.0", b"IN IP6 ::"])
def test_hold_by_address_keeps_the_port(sdp, nowhere):
    offered = sdp(("audio 4000 RTP/AVP 0", "sendonly")).replace(b"IN IP4 192.0.2.1\r\nt=", nowhere + b"\r\nt=")
    [line] = answered(offered).media
    assert (line.direction, line.port) == ("inactive", 30000)


def test_every_payload_type_is_answered(sdp):
    offered = sdp(
        ("audio 4000 RTP/AVP 97 18 2 98 0", "rtpmap:97 iLBC/8000", "fmtp:18 annexb=no", "rtpmap:2 G726-32/8000")
    )
    [line] = answered(offered).media
    assert line.formats == ("97", "18", "2", "98", "0")
    assert line.values("rtpmap") == ["97 iLBC/8000", "18 G729/8000", "2 G726-32/8000", "0 PCMU/8000"]
    assert line.values("fmtp") == ["18 annexb=no"]


@pytest.mark.parametrize(
    ("transport", "port"), [("RTP/AVP", 30000), ("RTP/AVPF", 30000), ("RTP/SAVP", 0), ("RTP/SAVPF", 0)]
)
def test_transports(sdp, transport, port):
    offered = sdp((f"audio 4000 {transport} 0",), ("audio 4002 RTP/AVP 0",))
    line = answered(offered).media[0]
    assert (line.port, line.transport) == (port, transport)


KEYS = [f"inline:{b64encode(bytes([number]) * 30).decode()}" for number in range(3)]
SRTP = (
    "audio 4000 RTP/SAVP 0",
    "crypto:1 AES_256_CM_HMAC_SHA1_80 inline:short",
    f"crypto:7 AES_CM_128_HMAC_SHA1_32 {KEYS[0]}|2^31|1:4",
    f"crypto:8 AES_CM_128_HMAC_SHA1_80 {KEYS[1]}",
)


def test_srtp_is_answered_with_a_key_of_our_own_for_the_first_line_that_can_be_taken(sdp):
    made = answered(sdp(SRTP, ("audio 4002 RTP/AVP 0",), SRTP), random=lambda count: b"\2" * count)
    first, plain, last = made.media
    assert [line.port for line in made.media] == [30000, 30002, 30004]
    assert first.values("crypto") == last.values("crypto") == [f"7 AES_CM_128_HMAC_SHA1_32 {KEYS[2]}"]
    assert plain.values("crypto") == []


def test_our_key_stays_while_tag_and_suite_do(sdp):
    drawn = iter(range(2, 9))
    random = lambda count: bytes([next(drawn)]) * count  # noqa: E731
    first = answered(sdp(SRTP), random=random)
    again = answered(sdp(SRTP), previous=first, random=random)
    assert again == first
    other = answered(sdp((SRTP[0], SRTP[3])), previous=again, random=random)
    assert other.media[0].value("crypto") == f"8 AES_CM_128_HMAC_SHA1_80 inline:{b64encode(bytes([3]) * 30).decode()}"


def test_srtp_without_a_key_that_can_be_taken_is_refused_alone(sdp):
    made = answered(sdp(SRTP[:2], ("audio 4002 RTP/AVP 0",)))
    assert [line.port for line in made.media] == [0, 30002]
    assert made.media[0].values("crypto") == []
    with pytest.raises(NotAcceptable):
        answered(sdp(SRTP[:2]))


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (("audio 4000 RTP/SAVP 0",),),
        (("audio 0 RTP/AVP 0",),),
        (("audio 4000 RTP/AVP",),),
        (("image 4000 udptl t38",), ("audio 0 RTP/AVP 0",)),
    ],
)
def test_nothing_to_record(sdp, lines):
    with pytest.raises(NotAcceptable):
        answered(sdp(*lines))


def test_all_streams_may_be_removed_later(sdp):
    first = answered(sdp(("audio 4000 RTP/AVP 0",)))
    assert [line.port for line in answered(sdp(("audio 0 RTP/AVP 0",)), previous=first).media] == [0]
    with pytest.raises(NotAcceptable):
        answered(sdp(("audio 0 RTP/AVP 0",), ("image 4002 udptl t38",)), previous=first)


def test_the_version_grows_when_the_answer_changes(two_legs):
    first = answered(two_legs())
    again = answered(two_legs(), previous=first)
    paused = answered(two_legs("inactive"), previous=again)
    resumed = answered(two_legs(port=5000), previous=paused)
    assert again == first
    assert [each.version for each in (first, paused, resumed)] == [1, 2, 3]
    assert {each.origin.split()[1] for each in (first, paused, resumed)} == {"42"}


def test_the_version_after_a_restart(two_legs):
    restored = parse(str(answered(two_legs(), previous=answered(two_legs("inactive")))).encode())
    assert restored.version == 2
    assert answered(two_legs(), previous=restored) == restored


def test_ipv6(sdp):
    made = answered(sdp(("audio 4000 RTP/AVP 0",)), address="::1")
    assert "o=srs 42 1 IN IP6 ::1\r\n" in str(made)
    assert "c=IN IP6 ::1\r\n" in str(made)


def test_nothing_else_is_echoed(sdp):
    offered = sdp(("audio 4000 RTP/AVP 0", "rtcp-mux", "rtcp:4001", "crypto:1 x y", "record:on", "ptime:20", "mid:a"))
    assert [name for name, _ in answered(offered).media[0].attributes] == ["rtpmap", "recvonly"]


def test_our_offer():
    made = offer([30000, 30002], address="127.0.0.1", session_id=42)
    assert [(line.kind, line.port, line.direction) for line in made.media] == [
        ("audio", 30000, "recvonly"),
        ("audio", 30002, "recvonly"),
    ]
    assert {codec.name for codec in made.media[0].codecs} == {"PCMU", "PCMA", "TELEPHONE-EVENT"}
    assert parse(str(made).encode()) == made
    assert offer([30000, 30002], address="127.0.0.1", session_id=42, previous=made) == made


KINDS = st.sampled_from(["audio", "video", "image", "text"])
LINES = st.lists(
    st.tuples(KINDS, st.integers(0, 65535), st.sampled_from(["RTP/AVP", "RTP/SAVP", "udptl"]), st.integers(0, 127))
)


@given(LINES, st.sets(st.integers(0, 8)))
def test_the_answer_mirrors_any_offer(lines, bound):
    offered = "".join(f"m={kind} {port} {transport} {number}\n" for kind, port, transport, number in lines)
    try:
        made = answered(b"v=0\n" + offered.encode(), {index: 30000 + index for index in bound})
    except NotAcceptable:
        assert not any(
            port and transport == "RTP/AVP" and i in bound for i, (_, port, transport, _) in enumerate(lines)
        )
        return
    assert [line.kind for line in made.media] == [kind for kind, *_ in lines]
    for index, (line, (_, port, transport, _)) in enumerate(zip(made.media, lines, strict=True)):
        assert (line.port != 0) == (port != 0 and transport == "RTP/AVP" and index in bound)
    assert parse(str(made).encode()) == made
