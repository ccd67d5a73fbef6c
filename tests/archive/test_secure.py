"""Captures with SRTP through finalise: libsrtp is the client."""

import secrets
import struct
from base64 import b64encode

import numpy as np
import pytest
from pylibsrtp import Policy, Session
from support.capture import PORTS, Capture, packet

from rtp import pcap
from rtp.codecs import mu_law
from rtp.srtp import SUITES
from srs.archive import secure
from srs.archive.finalise import finalise
from srs.archive.replay import replay

CM, GCM = "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM"
PROFILES = {CM: Policy.SRTP_PROFILE_AES128_CM_SHA1_80, GCM: Policy.SRTP_PROFILE_AEAD_AES_256_GCM}
PLAIN = ("audio RTP/AVP 0",)


class Protected:
    """A key with the client that sends under it."""

    def __init__(self, suite=CM, tag=1):
        self.octets = secrets.token_bytes(SUITES[suite].octets)
        self.line = f"crypto:{tag} {suite} inline:{b64encode(self.octets).decode()}"
        self.answer = f"crypto:{tag} {suite} inline:{b64encode(bytes(SUITES[suite].octets)).decode()}"
        self.media = ("audio RTP/SAVP 0", self.line)
        policy = Policy(self.octets, Policy.SSRC_ANY_OUTBOUND, 0, PROFILES[suite])
        policy.allow_repeat_tx = True
        self._session = Session(policy)
        self.protect, self.protect_rtcp = self._session.protect, self._session.protect_rtcp


def sound(seed, packets=100):
    return np.random.default_rng(seed).integers(0, 256, (packets, 160), dtype=np.uint8)


def truth(codes, length=2000, lost=()):
    leg = np.zeros(length * 8, np.int16)
    samples = mu_law()[codes].astype(np.int16)
    samples[list(lost)] = 0
    leg[: samples.size] = samples.ravel()[: len(leg)]
    return leg


def send(capture, leg, codes, protect, *, first=0, start=0, only=None):
    for index in range(len(codes)) if only is None else only:
        octets = packet(index + start, codes[index].tobytes(), first=first)
        capture.rtp(20 * (index + start), leg, protect(octets))


@pytest.mark.parametrize("suite", PROFILES)
def test_srtp_and_rtp_side_by_side(tmp_path, suite):
    key, codes, capture = Protected(suite), [sound(1), sound(2)], Capture()
    capture.offer(0, key.media, PLAIN, answered=((key.answer,), ()))
    send(capture, 0, codes[0], key.protect)
    send(capture, 1, codes[1], bytes)
    capture.bye(2000)
    (recording,) = finalise(capture.write(tmp_path / "1.pcap"))
    for leg, each in zip(recording.legs, codes, strict=True):
        np.testing.assert_array_equal(leg.samples, truth(each))
        assert (leg.facts.packets, leg.facts.lost, leg.facts.forged) == (100, 0, 0)
    assert [leg.facts.srtp for leg in recording.legs] == [suite, None]
    assert recording.facts["problems"] == []
    assert recording.facts["other_datagrams"] == 0


def test_a_call_whose_beginning_was_missed_and_that_wraps(tmp_path):
    key, codes, capture = Protected(), sound(1), Capture()
    capture.offer(0, key.media, answered=((key.answer,),))
    for turn in range(0, 4 * 65_536, 30_000):  # what the client sent before
        key.protect(packet(0, b"", first=turn & 0xFFFF))
    send(capture, 0, codes, key.protect, first=65_500)
    capture.bye(2000)
    (recording,) = finalise(capture.write(tmp_path / "1.pcap"))
    np.testing.assert_array_equal(recording.legs[0].samples, truth(codes))


def test_a_new_key_in_a_new_offer(tmp_path):
    old, new, codes, capture = Protected(), Protected(GCM, 2), sound(1), Capture()
    capture.offer(0, old.media, answered=((old.answer,),))
    send(capture, 0, codes[:52], old.protect)  # two under way when the offer takes effect
    capture.offer(1005, new.media, answered=((new.answer,),))
    send(capture, 0, codes[52:], new.protect, start=52)
    capture.bye(2000)
    (recording,) = finalise(capture.write(tmp_path / "1.pcap"))
    np.testing.assert_array_equal(recording.legs[0].samples, truth(codes))
    assert recording.legs[0].facts.srtp == f"{CM}, {GCM}"


def test_from_srtp_to_rtp_and_back(tmp_path):
    key, codes, capture = Protected(), sound(1), Capture()
    capture.offer(-1, key.media, answered=((key.answer,),))
    capture.offer(495, PLAIN)
    capture.offer(995, key.media, answered=((key.answer,),))
    send(capture, 0, codes, key.protect, only=[*range(25), *range(50, 100)])
    send(capture, 0, codes, bytes, only=range(25, 50))
    capture.bye(2000)
    (recording,) = finalise(capture.write(tmp_path / "1.pcap"))
    np.testing.assert_array_equal(recording.legs[0].samples[8:], truth(codes))
    assert (recording.legs[0].facts.packets, recording.legs[0].facts.forged) == (100, 0)


def test_wrong_keys_are_told_and_cost_only_their_leg(tmp_path):
    key, other, codes, capture = Protected(), Protected(), sound(1), Capture()
    capture.offer(0, key.media, PLAIN, answered=((key.answer,), ()))
    send(capture, 0, codes, other.protect)
    send(capture, 1, codes, bytes)
    capture.bye(2000)
    (recording,) = finalise(capture.write(tmp_path / "1.pcap"))
    assert not recording.legs[0].samples.any()
    np.testing.assert_array_equal(recording.legs[1].samples, truth(codes))
    assert (recording.legs[0].facts.packets, recording.legs[0].facts.forged) == (0, 100)
    assert recording.facts["problems"] == ["leg 1: none of 100 SRTP packets opens with the keys that were agreed on"]


def test_forged_replayed_and_plain_packets_are_counted_and_not_heard(tmp_path):
    key, codes, capture = Protected(), sound(1), Capture()
    capture.offer(0, key.media, answered=((key.answer,),))
    packets = [key.protect(packet(index, code.tobytes())) for index, code in enumerate(codes)]
    for index, octets in enumerate(packets):
        capture.rtp(20 * index, 0, octets)
    for index in range(5):
        capture.rtp(1900 + index, 0, packets[index])  # replayed
        capture.rtp(20 * index + 5, 0, packets[index][:-1] + b"!")
        capture.rtp(20 * index + 6, 0, packet(100 + index, bytes(160)))
        capture.rtp(20 * index + 7, 0, bytes([0x80, 0]) + secrets.token_bytes(index))
    capture.rtp(1000, 0, packets[49])  # doubled by the network
    capture.bye(2000)
    (recording,) = finalise(capture.write(tmp_path / "1.pcap"))
    facts = recording.legs[0].facts
    np.testing.assert_array_equal(recording.legs[0].samples, truth(codes))
    assert (facts.packets, facts.duplicates, facts.replayed, facts.forged) == (100, 1, 5, 10)
    told = "leg 1: 10 of 110 SRTP packets open with none of the keys that were agreed on"
    assert recording.facts["problems"] == [told]
    assert facts.malformed == {"short": 5}


def test_reports_are_read_as_rtcp(tmp_path):
    key, capture = Protected(), Capture()
    capture.offer(0, key.media, answered=((key.answer,),))
    report = struct.pack("!BBHIQIII", 0x80, 200, 6, 7, 1 << 63, 1, 2, 3)
    capture.rtp(10, 0, key.protect_rtcp(report), control=True)
    capture.rtp(20, 0, key.protect_rtcp(report))  # multiplexed
    capture.rtp(30, 0, report, control=True)  # in the clear: anybody could have sent it
    datagrams = pcap.read(capture.write(tmp_path / "1.pcap"))
    found, refused = secure.opened(datagrams, replay(datagrams).session)
    octets = [
        found.payload(row) for row in range(len(found)) if found.destination_port[row] in (PORTS[0], PORTS[0] + 1)
    ]
    assert octets == [report, report]
    assert len(refused[PORTS[0]].forged) == 1


def test_without_srtp_nothing_is_touched(tmp_path):
    capture = Capture()
    capture.offer(0, PLAIN)
    datagrams = pcap.read(capture.write(tmp_path / "1.pcap"))
    assert secure.opened(datagrams, replay(datagrams).session) == (datagrams, {})
