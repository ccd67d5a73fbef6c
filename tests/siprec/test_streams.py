from base64 import b64encode

import pytest

from rtp.codecs import STATIC, Codec
from rtp.srtp import SUITES, Key
from srs.siprec.answer import NotAcceptable, answer, offer
from srs.siprec.sdp import MediaLine, Sdp, parse
from srs.siprec.streams import Stream, agree

ULAW = (STATIC[0],)


class Negotiation:
    """`step(offer)` answers with ports 30000, 30002, … for audio and applies both; time goes 1, 2, 3, …"""

    def __init__(self):
        self.streams, self.time, self.ours = (), 0, None

    def step(self, offered, ours=None):
        self.time += 1
        theirs = parse(offered)
        ports = {index: 30000 + 2 * index for index, line in enumerate(theirs.media) if line.kind == "audio"}
        self.ours = ours or answer(theirs, ports, address="127.0.0.1", session_id=1, previous=self.ours)
        self.streams = agree(self.streams, theirs, self.ours, self.time)
        return self.streams


@pytest.fixture
def talks():
    return Negotiation()


def test_the_first_offer(talks, sdp):
    offered = sdp(
        ("audio 4000 RTP/AVP 0", "label:1", "sendonly"), ("video 4002 RTP/AVP 96", "label:2"), ("audio 0 RTP/AVP 0",)
    )
    assert talks.step(offered) == (
        Stream(0, "audio", "1", ("127.0.0.1", 30000), ("192.0.2.1", 4000), ((1, ULAW),), ((1, "recvonly"),)),
        Stream(1, "video", "2", None, ("192.0.2.1", 4002), ((1, ()),), ((1, "inactive"),)),
    )


def test_nothing_new(talks, two_legs):
    first = talks.step(two_legs())
    assert talks.step(two_legs()) == first


@pytest.mark.parametrize("pause", ["inactive", "recvonly"])
def test_pause_and_resume(talks, two_legs, pause):
    talks.step(two_legs())
    talks.step(two_legs(pause))
    streams = talks.step(two_legs())
    assert [stream.directions for stream in streams] == [((1, "recvonly"), (2, "inactive"), (3, "recvonly"))] * 2
    assert len(streams) == 2


def test_pause_of_one_leg_by_address(talks, sdp):
    legs = [("audio 4000 RTP/AVP 0", "label:1"), ("audio 4002 RTP/AVP 0", "label:2")]
    talks.step(sdp(*legs))
    held = sdp(*legs) + b"c=IN IP4 0.0.0.0\r\n"
    streams = talks.step(held)
    assert [stream.directions[-1] for stream in streams] == [(1, "recvonly"), (2, "inactive")]
    assert streams[1].local == ("127.0.0.1", 30002)


def test_a_recorder_that_answers_sendrecv_is_read_rightly(talks, two_legs, sdp):
    ours = parse(sdp(("audio 30000 RTP/AVP 0", "inactive"), ("audio 30002 RTP/AVP 0",)))
    streams = talks.step(two_legs(), ours)
    assert [stream.directions for stream in streams] == [((1, "inactive"),), ((1, "recvonly"),)]


def test_a_stream_is_added_at_the_end(talks, sdp):
    leg = [(f"audio {4000 + 2 * n} RTP/AVP 0", f"label:{n}") for n in range(3)]
    talks.step(sdp(*leg[:1]))
    streams = talks.step(sdp(*leg))
    assert [(stream.index, stream.label, stream.directions) for stream in streams] == [
        (0, "0", ((1, "recvonly"),)),
        (1, "1", ((2, "recvonly"),)),
        (2, "2", ((2, "recvonly"),)),
    ]


def test_a_removed_slot_is_reused_by_a_new_stream(talks, sdp):
    stays = ("audio 4000 RTP/AVP 0", "label:1")
    talks.step(sdp(stays, ("audio 4002 RTP/AVP 0", "label:2")))
    removed = talks.step(sdp(stays, ("audio 0 RTP/AVP 0", "label:2", "sendonly")))
    again = talks.step(sdp(stays, ("audio 0 RTP/AVP 0", "label:2")))
    reused = talks.step(sdp(stays, ("audio 5000 RTP/AVP 8", "label:3")))
    assert (removed[1].label, removed[1].removed_ns) == ("2", 2)
    assert again == removed
    assert reused[:2] == removed
    assert (reused[2].index, reused[2].label, reused[2].codecs, reused[2].removed_ns) == (
        1,
        "3",
        ((4, (STATIC[8],)),),
        None,
    )


def test_a_slot_that_changes_its_kind(talks, sdp):
    stays = ("audio 4000 RTP/AVP 0",)
    talks.step(sdp(stays, ("audio 4002 RTP/AVP 0",)))
    streams = talks.step(sdp(stays, ("image 4002 udptl t38",)))
    assert [(stream.kind, stream.index, stream.removed_ns) for stream in streams] == [
        ("audio", 0, None),
        ("audio", 1, 2),
        ("image", 1, None),
    ]
    assert streams[2].local is None


def test_port_label_and_codec_may_change(talks, sdp):
    talks.step(sdp(("audio 4000 RTP/AVP 0", "label:1")))
    [stream] = talks.step(sdp(("audio 4008 RTP/AVP 97", "label:9", "rtpmap:97 iLBC/8000")))
    assert stream.remote == ("192.0.2.1", 4008)
    assert stream.label == "9"
    assert stream.codecs == ((1, ULAW), (2, (Codec(97, "ILBC", 8000),)))
    assert stream.directions == ((1, "recvonly"),)


def test_refused_and_taken_later(talks, sdp):
    offered = sdp(("audio 4000 RTP/AVP 0",), ("audio 4002 RTP/SAVP 0",))
    assert talks.step(offered)[1].local is None
    assert talks.step(offered)[1].removed_ns is None
    streams = talks.step(sdp(("audio 4000 RTP/AVP 0",), ("audio 4002 RTP/AVP 0",)))
    assert (len(streams), streams[1].local) == (2, ("127.0.0.1", 30002))


def test_taken_and_refused_later(talks, sdp):
    talks.step(sdp(("audio 4000 RTP/AVP 0",), ("audio 4002 RTP/AVP 0",)))
    streams = talks.step(sdp(("audio 4000 RTP/AVP 0",), ("audio 4002 RTP/SAVP 0",)))
    assert (streams[1].local, streams[1].removed_ns) == (("127.0.0.1", 30002), 2)


def test_lines_left_out_go_on(talks, two_legs, sdp):
    first = talks.step(two_legs())
    assert talks.step(sdp(("audio 4000 RTP/AVP 0 8", "label:1", "sendonly"))) == first


def test_a_late_offer_and_its_answer(sdp):
    ours = offer([30000, 30002], address="127.0.0.1", session_id=1)
    offered = agree((), None, ours, 1)
    assert [(stream.local, stream.remote, stream.directions) for stream in offered] == [
        (("127.0.0.1", 30000), None, ((1, "recvonly"),)),
        (("127.0.0.1", 30002), None, ((1, "recvonly"),)),
    ]
    theirs = parse(sdp(("audio 4000 RTP/AVP 8", "label:1", "sendonly"), ("audio 0 RTP/AVP 8",)))
    first, second = agree(offered, theirs, ours, 2)
    assert (first.remote, first.label, first.codecs[-1]) == (("192.0.2.1", 4000), "1", (2, (STATIC[8],)))
    assert second.removed_ns == 2


def test_our_description_again_changes_nothing(talks, two_legs):
    streams = talks.step(two_legs())
    assert agree(streams, None, talks.ours, 9) == streams


@pytest.mark.parametrize(("address", "local"), [("::1", "::1"), ("srs.example.com", "0.0.0.0"), (None, "0.0.0.0")])
def test_the_local_address_is_an_address(address, local):
    ours = Sdp((MediaLine("audio", 30000, "RTP/AVP", ("0",), address),))
    assert agree((), None, ours, 1)[0].local == (local, 30000)


def test_an_offer_that_is_refused_changes_nothing(talks, two_legs, sdp):
    before = talks.step(two_legs())
    with pytest.raises(NotAcceptable):
        talks.step(sdp(("audio 4000 RTP/SAVP 0",), ("audio 4002 RTP/SAVP 0",)))
    assert talks.streams == before


def test_keys_of_srtp_and_when_they_change(talks, sdp):
    suite = SUITES["AES_CM_128_HMAC_SHA1_80"]
    keys = [Key(suite, bytes([number]) * 30) for number in (1, 2)]
    lines = [f"crypto:1 {suite.name} inline:{b64encode(key.octets).decode()}" for key in keys]
    plain = ("audio 4002 RTP/AVP 0", "label:2")
    for line in (lines[0], lines[0], lines[1]):
        streams = talks.step(sdp(("audio 4000 RTP/SAVP 0", "label:1", line), plain))
    assert [stream.keys for stream in streams] == [((1, (keys[0],)), (3, (keys[1],))), ()]
    streams = talks.step(sdp(("audio 4000 RTP/AVP 0", "label:1"), plain))
    assert streams[0].keys[2:] == ((4, ()),)
