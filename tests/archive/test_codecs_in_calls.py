"""Codecs in whole calls: a loss that the next packet repeats, legs of different rates."""

import struct

import av
import numpy as np
import pytest
from support.heard import whole

from rtp.pcap import HEADER, record
from srs.archive.finalise import channels, finalise

START_NS = 1_790_000_000_000_000_000
HERE, THERE = ("127.0.0.1", 40_000), ("127.0.0.2", 50_000)
OFFER = """v=0
o=- 1 1 IN IP4 127.0.0.2
s=-
c=IN IP4 127.0.0.2
t=0 0
m=audio 50000 RTP/AVP 96 9
a=rtpmap:96 opus/48000/2
a=label:1
a=sendonly
m=audio 50002 RTP/AVP 9
a=label:2
a=sendonly
"""
ANSWER = OFFER.replace("127.0.0.2", "127.0.0.1").replace("5000", "4000").replace("sendonly", "recvonly")


def message(start: str, method: str, sdp: str = "") -> bytes:
    headers = [
        start,
        "Via: SIP/2.0/UDP 127.0.0.2;branch=z9hG4bK1",
        "From: <sip:src@127.0.0.2>;tag=1",
        "To: <sip:srs@127.0.0.1>;tag=2",
        "Call-ID: 1@example.com",
        f"CSeq: {1 if method == 'INVITE' else 2} {method}",
        "Contact: <sip:here@127.0.0.2>",
        *(["Content-Type: application/sdp"] if sdp else []),
        f"Content-Length: {len(sdp)}",
    ]
    return "\r\n".join([*headers, "", sdp]).encode()


def encoded(name: str, rate: int, sound: np.ndarray, **options: str) -> list[bytes]:
    """Packets of 20 ms from an encoder of FFmpeg."""
    context = av.CodecContext.create(name, "w")
    context.sample_rate, context.layout, context.format, context.options = rate, "mono", "s16", options
    context.bit_rate = 24_000 if name == "libopus" else 64_000
    context.open()
    packets = []
    for at in range(0, len(sound), rate // 50):
        frame = av.AudioFrame.from_ndarray(sound[at : at + rate // 50].reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate, at
        packets += [bytes(packet) for packet in context.encode(frame)]
    return packets


def tone(rate: int) -> np.ndarray:
    t = np.arange(2 * rate) / rate
    return np.rint(6000 * np.sin(2 * np.pi * 300 * t) * (0.7 + 0.3 * np.sin(2 * np.pi * 4 * t))).astype(np.int16)


@pytest.fixture
def recording(tmp_path):
    """Opus on the first leg, of which packet 40 is lost, and G.722 on the second."""
    records = [
        (0, message("INVITE sip:srs@127.0.0.1 SIP/2.0", "INVITE", OFFER), ("127.0.0.2", 5060), ("127.0.0.1", 5060)),
        (0, message("SIP/2.0 200 OK", "INVITE", ANSWER), ("127.0.0.1", 5060), ("127.0.0.2", 5060)),
        (2000, message("BYE sip:srs@127.0.0.1 SIP/2.0", "BYE"), ("127.0.0.2", 5060), ("127.0.0.1", 5060)),
    ]
    opus = encoded("libopus", 48_000, tone(48_000), fec="1", packet_loss="20", application="voip")
    g722 = encoded("g722", 16_000, tone(16_000))
    for leg, (packets, kind, step) in enumerate([(opus, 96, 960), (g722, 9, 160)]):
        for index, payload in enumerate(packets):
            if (leg, index) != (0, 40):
                header = struct.pack(">BBHII", 0x80, kind, index, index * step, 7)
                ports = (THERE[0], THERE[1] + 2 * leg), (HERE[0], HERE[1] + 2 * leg)
                records.append((20 * index, header + payload, *ports))
    octets = [
        record(data, *way, START_NS + ms * 1_000_000) for ms, data, *way in sorted(records, key=lambda row: row[0])
    ]
    path = tmp_path / "1.pcap"
    path.write_bytes(HEADER + b"".join(octets))
    return finalise(path)[0]


def test_a_loss_is_filled_where_it_was_and_told(recording):
    leg = recording.legs[0]
    assert (leg.codec, leg.facts.lost, leg.facts.recovered, leg.facts.damaged) == ("OPUS", 1, 1, 0)
    sound = leg.samples.astype(float)
    loss, whole = sound[40 * 960 : 41 * 960], sound[25 * 960 : 75 * 960]
    assert np.sqrt((loss**2).mean()) > 0.5 * np.sqrt((whole**2).mean())
    period = 160  # of 300 Hz: the tone goes on through the loss in its phase
    assert np.corrcoef(loss, sound[40 * 960 - 6 * period : 41 * 960 - 6 * period])[0, 1] > 0.95


def test_legs_of_different_rates_stand_side_by_side(recording):
    assert [(leg.codec, leg.sample_rate) for leg in recording.legs] == [("OPUS", 48_000), ("G722", 16_000)]
    beside = channels(recording)
    samples, rate = whole(beside), beside.rate
    assert (samples.shape, rate) == ((96_000, 2), 48_000)
    expected = tone(48_000)[4800:-4800].astype(float)
    for column, delay in ((0, 312), (1, 66)):  # what the encoders take, RFC 7845 §4.2; the filter bank of G.722
        likeness = [
            np.corrcoef(samples[4800 + d : -4800 + d, column], expected)[0, 1] for d in range(delay - 40, delay + 41, 4)
        ]
        assert max(likeness) > 0.97
