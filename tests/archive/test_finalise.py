"""Captures with a known truth through finalise: every sample, where it begins and ends, who is in it."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from support.archive import finalise
from support.heard import whole
from support.scene import (
    AUDIO,
    CLIENT,
    HELD,
    HERE,
    MS,
    PORTS,
    START_NS,
    THERE,
    Scene,
    call,
    description,
    speech,
    stream,
    truth,
)

from rtp import send
from rtp.codecs import mu_law
from rtp.pcap import CaptureError
from srs.archive.finalise import NoSession, channels
from srs.capture import events
from srs.siprec import metadata

NAMES = {0: "PCMU", 8: "PCMA"}


def test_a_call_is_exact_on_both_channels(tmp_path):
    scene, codes = call()
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    assert (recording.started_ns, recording.ended_ns) == (START_NS, START_NS + 4200 * MS)
    assert (recording.call_id, recording.interrupted) == ("1@example.com", False)
    for leg, payload_type in enumerate((0, 8)):
        sound = recording.legs[leg]
        np.testing.assert_array_equal(sound.samples, truth(codes[leg], payload_type, 100 + 5 * leg, 4.2))
        assert (sound.sample_rate, sound.codec, sound.label) == (8000, NAMES[payload_type], str(leg + 1))
        facts = sound.facts
        assert (facts.packets, facts.lost, facts.duplicates, facts.reordered) == (200, 0, 0, 0)
        assert (facts.seconds, facts.gaps, facts.pauses, facts.ssrcs) == (4.0, [], [], ["00000007"])


def test_one_way_audio_is_told(tmp_path):
    scene, _ = call()
    assert finalise(scene.write(tmp_path / "1.pcap")).facts["one_way"] == []
    one, quiet = Scene(), np.full((50, 160), 0xFF, np.uint8)
    one.offer(0, AUDIO, AUDIO, AUDIO)
    for leg, codes in enumerate((speech(1, 1), quiet)):
        for index, datagram in enumerate(stream(codes)):
            one.rtp(20 * index, leg, datagram)
    one.bye(1000)
    told = finalise(one.write(tmp_path / "2.pcap")).facts["one_way"]
    assert told == [{"label": "2", "why": "silence"}, {"label": "3", "why": "no packets"}]


def test_channels_are_the_legs_side_by_side(tmp_path):
    scene, _ = call()
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    beside = channels(recording)
    together, rate = whole(beside), beside.rate
    assert (together.shape, together.dtype, rate) == ((33_600, 2), np.int16, 8000)
    np.testing.assert_array_equal(together[:, 1], recording.legs[1].samples)


def test_parties_are_told_by_the_metadata(tmp_path):
    scene = Scene()
    aors = ["sip:alice@example.com", "sip:bob@example.com"]
    scene.offer(0, AUDIO, AUDIO, metadata=metadata.write("f81d4fae", aors))
    for index, datagram in enumerate(stream(speech(1, 2))):
        scene.rtp(20 * index, 1, datagram)
    scene.bye(1000)
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    assert (recording.caller, recording.callee) == tuple(aors)
    assert [(leg.label, leg.aor, leg.facts.packets) for leg in recording.legs] == [
        ("1", aors[0], 0),
        ("2", aors[1], 50),
    ]
    assert recording.session_id == metadata.read(metadata.write("f81d4fae", aors)).sessions[0].id
    expected = {"label": "1", "aor": aors[0], "name": None, "from_s": 0.0, "to_s": 1.0}
    assert recording.facts["participants"][0] == expected
    assert (recording.facts["end_reason"], recording.facts["problems"]) == ("BYE", [])


def test_metadata_are_kept_as_they_came(tmp_path):
    """Well-formed or not; the same again only once."""
    scene, odd, other = Scene(), b"<recording><a & b>\xff\0", metadata.write("f81d4fae", ["sip:alice@example.com"])
    for place, xml in enumerate((other, other, odd, other)):
        scene.offer(1000 * place, AUDIO, metadata=xml)
    scene.bye(4000)
    kept = finalise(scene.write(tmp_path / "1.pcap")).facts["documents"]
    assert [(each["at_s"], each["xml"]) for each in kept] == [
        (-0.002, other.decode()),
        (1.998, "<recording><a & b>\ufffd\ufffd"),
        (2.998, other.decode()),
    ]


def test_facts_are_fit_for_json(tmp_path):
    scene, _ = call()
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    json.dumps([recording.facts, *(asdict(leg.facts) for leg in recording.legs)])
    assert recording.facts["other_datagrams"] == 0


@pytest.mark.parametrize("seed", range(5))
def test_loss_reordering_and_duplicates_are_exactly_told(tmp_path, seed):
    scene = Scene()
    scene.offer(0, AUDIO, AUDIO)
    codes, kept, gone = [speech(20, 10 * seed + leg) for leg in (0, 1)], [], []
    for leg in (0, 1):
        gone.append(send.departures(1000, send.Impairment(loss=0.05, reorder=0.02, duplicates=0.01, seed=seed + leg)))
        kept.append(np.isin(np.arange(1000), gone[leg].packet))
        datagrams = stream(codes[leg], payload_type=8 * leg)
        for index, tick in zip(gone[leg].packet.tolist(), gone[leg].tick.tolist(), strict=True):
            scene.rtp(20 * tick, leg, datagrams[index])
    scene.bye(20_100)
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    for leg in (0, 1):
        sound, count = recording.legs[leg], int(kept[leg].sum())
        np.testing.assert_array_equal(sound.samples, truth(codes[leg], 8 * leg, 0, 20.1, kept[leg]))
        last = int(np.flatnonzero(kept[leg])[-1])
        assert (sound.facts.packets, sound.facts.lost) == (count, last + 1 - count)
        assert sound.facts.duplicates == len(gone[leg].packet) - count
        assert round(sum(seconds for _, seconds in sound.facts.gaps), 6) == round(0.02 * sound.facts.lost, 6)
        assert sound.facts.lost_s == pytest.approx(0.02 * sound.facts.lost)
        assert sound.facts.seconds + sound.facts.lost_s == pytest.approx(0.02 * (last + 1))
        assert sound.facts.lost_on_wire == sound.facts.lost
        assert sound.facts.written_s == sound.facts.seconds == pytest.approx(0.02 * count)


def test_without_a_bye_the_session_ends_with_its_sound(tmp_path):
    scene, _ = call(bye=None)
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    assert recording.interrupted
    assert recording.ended_ns == START_NS + 4105 * MS
    assert [len(leg.samples) for leg in recording.legs] == [32_840, 32_840]


def test_a_capture_cut_in_a_record_gives_what_is_there(tmp_path):
    scene, codes = call(bye=None)
    recording = finalise(scene.write(tmp_path / "1.pcap", cut=50))
    assert recording.facts["lost_tail"] > 0
    np.testing.assert_array_equal(recording.legs[0].samples, truth(codes[0], 0, 100, 4.1))
    assert [leg.facts.packets for leg in recording.legs] == [200, 199]


def test_the_sound_of_a_packet_before_the_bye_is_whole(tmp_path):
    scene, codes = call(bye=2101)
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    assert recording.ended_ns == START_NS + 2120 * MS
    np.testing.assert_array_equal(recording.legs[0].samples[:16_800], truth(codes[0], 0, 100, 2.1))
    np.testing.assert_array_equal(recording.legs[0].samples[16_800:], mu_law()[codes[0][100]])
    assert [leg.facts.after_end for leg in recording.legs] == [99, 100]


def test_packets_before_the_200_begin_the_recording(tmp_path):
    scene, codes = Scene(), speech(1, 3)
    scene.request(-100, "INVITE", sdp=description(THERE, [AUDIO], CLIENT[1:], {}))
    scene.response(0, "INVITE", sdp=description(HERE, [AUDIO], PORTS, {"sendonly": "recvonly"}))
    for index, datagram in enumerate(stream(codes)):
        scene.rtp(-40 + 20 * index, 0, datagram)
    scene.bye(1000)
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    assert recording.started_ns == START_NS - 40 * MS
    np.testing.assert_array_equal(recording.legs[0].samples, truth(codes, 0, 0, 1.04))


@pytest.mark.parametrize("sends_on", [False, True])
def test_a_pause_is_silence_and_no_loss(tmp_path, sends_on):
    scene, codes = Scene(), speech(6, 4)
    scene.offer(0, AUDIO)
    scene.offer(2000, HELD)
    scene.offer(4000, AUDIO)
    for index, datagram in enumerate(stream(codes)):
        if sends_on or not 98 <= index < 201:
            scene.rtp(20 * index + 0.5, 0, datagram)
    scene.bye(6010)
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    facts = recording.legs[0].facts
    heard = np.array([index < 100 or index >= 200 if sends_on else not 98 <= index < 201 for index in range(300)])
    np.testing.assert_array_equal(recording.legs[0].samples, truth(codes, 0, 0.5, 6.0105, heard)[:48_080])
    assert facts.pauses == [(2.0, 2.0)]
    assert (facts.lost, facts.gaps, facts.silence_s) == (0, [], 0.0)
    assert facts.while_paused == (100 if sends_on else 0)
    assert facts.seconds == pytest.approx(0.02 * heard.sum())


def test_loss_beside_a_pause_is_loss(tmp_path):
    scene, codes = Scene(), speech(8, 4)
    scene.offer(0, AUDIO)
    scene.offer(2000, HELD)
    scene.offer(4000, AUDIO)
    for index, datagram in enumerate(stream(codes)):
        if not 100 <= index < 350:
            scene.rtp(20 * index + 0.5, 0, datagram)
    scene.bye(8000)
    facts = finalise(scene.write(tmp_path / "1.pcap")).legs[0].facts
    assert facts.lost == 100  # 3 s without packets after the pause; of these 1 s is allowed for the client
    assert len(facts.gaps) == 1


def test_a_note_after_the_last_packet_does_not_lengthen_the_session(tmp_path):
    scene, _ = call(bye=None)
    scene.datagram(60_000, events.info("1@example.com", "write-failed;records=2"), (HERE, 5060), (HERE, 5060))
    assert finalise(scene.write(tmp_path / "1.pcap")).ended_ns == START_NS + 4105 * MS


def test_only_audio_becomes_a_leg(tmp_path):
    scene, codes = Scene(), speech(1, 2)
    scene.offer(0, AUDIO, ("video", (34,), "sendonly"))
    for index, datagram in enumerate(stream(codes)):
        scene.rtp(20 * index, 0, datagram)
        scene.rtp(20 * index, 1, datagram)
    scene.bye(1000)
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    assert [leg.label for leg in recording.legs] == ["1"]
    assert recording.facts["not_recorded"] == [{"index": 1, "kind": "video", "label": "2"}]


def test_a_leg_to_which_nothing_came_is_silence(tmp_path):
    scene = Scene()
    scene.offer(0, AUDIO, AUDIO)
    for index, datagram in enumerate(stream(speech(1, 2))):
        scene.rtp(20 * index, 0, datagram)
    scene.bye(1000)
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    assert [len(leg.samples) for leg in recording.legs] == [8000, 8000]
    assert (recording.legs[1].codec, recording.legs[1].facts.packets) == (None, 0)


def test_a_capture_without_sip_has_no_session(tmp_path):
    scene = Scene()
    for index, datagram in enumerate(stream(speech(1, 2))):
        scene.rtp(20 * index, 0, datagram)
    with pytest.raises(NoSession, match="no SIP"):
        finalise(scene.write(tmp_path / "1.pcap"))


def test_an_empty_capture_has_no_session(tmp_path):
    with pytest.raises(NoSession, match="no SIP"):
        finalise(Scene().write(tmp_path / "1.pcap"))


def test_a_session_that_was_refused_has_no_sound(tmp_path):
    scene = Scene()
    scene.request(0, "INVITE", sdp=description(THERE, [AUDIO], CLIENT[1:], {}))
    scene.response(1, "INVITE", status="488 Not Acceptable Here")
    with pytest.raises(NoSession, match="no audio stream"):
        finalise(scene.write(tmp_path / "1.pcap"))


def test_another_file_is_no_capture(tmp_path):
    path = tmp_path / "1.pcap"
    path.write_bytes(b"RIFF" + bytes(100))
    with pytest.raises(CaptureError):
        finalise(path)
