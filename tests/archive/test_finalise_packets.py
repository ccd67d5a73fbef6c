"""What a leg's packets may be, through finalise: strangers, several sources, other codecs, digits, damage."""

import json
import struct
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.archive import finalise
from support.heard import whole
from support.scene import (
    AUDIO,
    HELD,
    HERE,
    MS,
    PORTS,
    RTPMAPS,
    START_NS,
    TABLES,
    THERE,
    Scene,
    call,
    speech,
    stream,
    truth,
)

from rtp.codecs import encode
from srs.archive.finalise import channels
from srs.capture import events


def test_strangers_are_counted_and_not_heard(tmp_path):
    scene, codes = call()
    for index, datagram in enumerate(stream(speech(1, 9), sequence=65_510)):
        scene.rtp(1000 + 20 * index, 0, datagram, source=("127.0.0.9", 1234))
    leg = finalise(scene.write(tmp_path / "1.pcap")).legs[0]
    np.testing.assert_array_equal(leg.samples, truth(codes[0], 0, 100, 4.2))
    assert (leg.facts.strangers, leg.facts.packets, leg.facts.duplicates) == (50, 200, 0)


def test_lone_packets_of_other_ssrcs_are_not_heard(tmp_path):
    scene, codes = call()
    for index in range(50):
        scene.rtp(1000 + index, 0, stream(speech(0.02, index), ssrc=1000 + index)[0])
    leg = finalise(scene.write(tmp_path / "1.pcap")).legs[0]
    np.testing.assert_array_equal(leg.samples, truth(codes[0], 0, 100, 4.2))
    assert (leg.facts.strays, leg.facts.packets, leg.facts.ssrcs) == (50, 200, ["00000007"])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_damaged_packets_never_stop_a_recording(tmp_path, seed):
    rng = np.random.default_rng(seed)
    scene = Scene()
    scene.offer(0, AUDIO, AUDIO)
    for leg in (0, 1):
        for index, datagram in enumerate(stream(speech(2, leg))):
            octets = np.frombuffer(datagram, np.uint8).copy()
            harmed = rng.integers(0, 16, rng.integers(0, 3))
            octets[harmed] = rng.integers(0, 256, len(harmed))
            scene.rtp(20 * index, leg, octets[: rng.integers(0, 173)] if rng.random() < 0.2 else octets)
    scene.bye(2000)
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    seconds = (recording.ended_ns - START_NS) / 1e9
    assert all(len(leg.samples) == round(seconds * leg.sample_rate) for leg in recording.legs)
    assert recording.ended_ns - START_NS <= 2000 * MS + 200 * MS
    json.dumps([recording.facts, *(asdict(leg.facts) for leg in recording.legs)])


def test_several_ssrcs_on_one_leg_are_all_heard(tmp_path):
    scene, codes = Scene(), [speech(1, seed) for seed in (5, 6)]
    scene.offer(0, AUDIO)
    for index, datagram in enumerate(stream(codes[0], ssrc=0xAAAA)):
        scene.rtp(20 * index, 0, datagram)
    for index, datagram in enumerate(stream(codes[1], ssrc=0xBBBB, payload_type=8, sequence=3, timestamp=9)):
        scene.rtp(500 + 20 * index, 0, datagram)
    scene.bye(2000)
    leg = finalise(scene.write(tmp_path / "1.pcap")).legs[0]
    together = truth(codes[0], 0, 0, 2).astype(int) + truth(codes[1], 8, 500, 2)
    np.testing.assert_array_equal(leg.samples, np.clip(together, -32_768, 32_767))
    assert leg.facts.ssrcs == ["0000aaaa", "0000bbbb"]
    assert leg.facts.codecs == ["PCMU", "PCMA"]


def test_a_codec_without_decoder_is_silence_and_named(tmp_path):
    scene = Scene()
    scene.offer(0, ("audio", (97, 0), "sendonly"))
    for index, datagram in enumerate(stream(speech(1, 1), payload_type=97, step=320)):
        scene.rtp(20 * index, 0, datagram)
    scene.bye(1500)
    leg = finalise(scene.write(tmp_path / "1.pcap")).legs[0]
    assert (leg.codec, leg.facts.undecoded, leg.facts.lost) == ("EVS", {"EVS": 50}, 0)
    assert leg.facts.written_s == 0.0
    assert (len(leg.samples), leg.sample_rate, int(np.abs(leg.samples).max())) == (12_000, 8000, 0)
    assert leg.facts.seconds == 1.0


def test_digits_and_comfort_noise_are_counted_and_not_heard(tmp_path):
    scene, codes = call()
    for index in range(3):
        scene.rtp(
            4100 + 20 * index, 0, struct.pack(">BBHII", 0x80, 101, (65_700 + index) & 0xFFFF, 30_000, 7) + b"\1\x80\0\1"
        )
    scene.rtp(4170, 0, struct.pack(">BBHII", 0x80, 13, 65_703 & 0xFFFF, 30_480, 7) + b"\x30")
    leg = finalise(scene.write(tmp_path / "1.pcap")).legs[0]
    np.testing.assert_array_equal(leg.samples, truth(codes[0], 0, 100, 4.2))
    assert (leg.facts.events, leg.facts.comfort_noise, leg.facts.lost, leg.facts.packets) == (3, 1, 0, 204)
    assert [key for _, _, key in leg.facts.digits] == ["1"]
    assert leg.facts.digits[0][0] == pytest.approx(4.1, abs=0.001)
    assert leg.codec == "PCMU"


def test_digits_in_a_pause_are_not_told(tmp_path):
    scene = Scene()
    scene.offer(0, AUDIO, AUDIO)
    for index, datagram in enumerate(stream(speech(3, 1))):
        scene.rtp(20 * index, 0, datagram)
    scene.offer(1000, HELD, HELD)
    scene.offer(2000, AUDIO, AUDIO)
    for ms, code in ((500, 4), (1500, 5), (2500, 6)):
        scene.rtp(ms, 0, struct.pack(">BBHII", 0x80, 101, ms, 8 * ms, 7) + bytes([code, 0x8A, 0, 160]))
    scene.bye(3000)
    leg = finalise(scene.write(tmp_path / "1.pcap")).legs[0]
    assert leg.facts.digits == [(0.48, 0.02, "4"), (2.48, 0.02, "6")]


def test_what_is_no_rtp_is_counted(tmp_path):
    scene, codes = call()
    scene.rtp(1000, 0, b"\x80\xc8" + bytes(26))
    scene.rtp(1001, 0, b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12))
    scene.rtp(1002, 0, b"\x80\x00")
    scene.datagram(1003, b"SIP/2.0 200 nonsense", (THERE, 5060), (HERE, 5060))
    scene.datagram(1004, b"who is there?" * 3, (THERE, 5060), (HERE, 5060))
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    np.testing.assert_array_equal(recording.legs[0].samples, truth(codes[0], 0, 100, 4.2))
    assert recording.legs[0].facts.malformed == {"rtcp": 1, "stun": 1, "short": 1}
    assert recording.facts["unreadable_messages"] == 1
    assert recording.facts["other_datagrams"] == 2


def test_kernel_drops_stand_with_the_leg_of_the_port(tmp_path):
    """The recorder's notes count since the port was opened, and come also after the BYE; a client cannot write any."""
    scene, _ = call()
    for ms, count in ((500, 3), (4300, 4)):
        note = events.info("1@example.com", f"kernel-drops;port={PORTS[1]};count={count}")
        scene.datagram(ms, note, (HERE, 5060), (HERE, 5060))
    scene.request(600, "INFO", headers=[f"X-SRS-Event: kernel-drops;port={PORTS[0]};count=9"])
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    assert [leg.facts.kernel_dropped for leg in recording.legs] == [0, 4]
    assert recording.facts["events"][-1] == [4.3, f"kernel-drops;port={PORTS[1]};count=4"]


def test_wideband_and_narrowband_meet_at_the_higher_rate(tmp_path, monkeypatch):
    monkeypatch.setitem(RTPMAPS, 97, ["a=rtpmap:97 PCMU/16000"])
    tone = np.rint(8000 * np.sin(np.arange(16_000) * 2 * np.pi * 500 / 16_000)).astype(np.int16)
    scene = Scene()
    scene.offer(0, ("audio", (97,), "sendonly"), AUDIO)
    for leg, (payload_type, samples) in enumerate(((97, tone), (0, tone[::2]))):
        codes = encode("PCMU", samples).reshape(50, -1)
        for index, datagram in enumerate(stream(codes, payload_type=payload_type)):
            scene.rtp(20 * index, leg, datagram)
    scene.bye(1000)
    beside = channels(finalise(scene.write(tmp_path / "1.pcap")))
    together, rate = whole(beside), beside.rate
    assert (together.shape, rate) == ((16_000, 2), 16_000)
    apart = together[100:-100, 0].astype(int) - together[100:-100, 1]
    assert np.abs(apart).max() < 400  # both are quantised by G.711


def test_a_payload_type_means_what_the_offer_of_its_time_says(tmp_path, monkeypatch):
    scene, codes = Scene(), speech(2, 3)
    for ms, name in ((0, "PCMU"), (1000, "PCMA")):
        monkeypatch.setitem(RTPMAPS, 97, [f"a=rtpmap:97 {name}/8000"])
        scene.offer(ms, ("audio", (97,), "sendonly"))
    for index, datagram in enumerate(stream(codes, payload_type=97)):
        scene.rtp(20 * index + 1, 0, datagram)
    scene.bye(2010)
    leg = finalise(scene.write(tmp_path / "1.pcap")).legs[0]
    expected = np.concatenate([truth(codes[:50], 0, 1, 1.001), truth(codes[50:], 8, 0, 1.02)])
    np.testing.assert_array_equal(leg.samples, expected[: len(leg.samples)])
    assert leg.facts.codecs == ["PCMU", "PCMA"]


def test_a_payload_type_that_changes_in_mid_call_is_decoded_by_its_own_codec(tmp_path):
    scene = Scene()
    scene.offer(0, ("audio", (0, 8, 10), "sendonly"))
    codes = speech(2, 3)
    octets = [*stream(codes[:50]), *stream(codes[50:], payload_type=8, sequence=65_550, timestamp=2**32 - 5000 + 8000)]
    for index, datagram in enumerate(octets):
        scene.rtp(20 * index, 0, datagram)
    scene.bye(2000)
    leg = finalise(scene.write(tmp_path / "1.pcap")).legs[0]
    np.testing.assert_array_equal(leg.samples[:8000], TABLES[0][codes[:50]].ravel())
    np.testing.assert_array_equal(leg.samples[8000:16_000], TABLES[8][codes[50:]].ravel())
    assert (leg.facts.lost, leg.facts.damaged) == (0, 0)
