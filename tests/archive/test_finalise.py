"""Captures with a known truth through finalise: every sample, every count."""

import json
import struct
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtp import send
from rtp.codecs import STATIC, a_law, encode, mu_law
from rtp.pcap import HEADER, CaptureError, read, record
from srs.archive.demultiplex import demultiplex
from srs.archive.finalise import NoSession, channels
from srs.archive.finalise import finalise as finalise_all
from srs.capture import events
from srs.siprec import body, metadata
from srs.siprec.session import Stream

START_NS = 1_790_000_000_000_000_000
MS = 1_000_000
HERE, THERE = "127.0.0.1", "127.0.0.2"
PORTS = (40_000, 40_002, 40_004)
CLIENT = (5060, 50_000, 50_002, 50_004)
TABLES = {0: mu_law(), 8: a_law()}
NAMES = {0: "PCMU", 8: "PCMA"}


def finalise(path):
    """The only recording of a capture."""
    (recording,) = finalise_all(path)
    return recording


class Scene:
    """A capture in the making; time is in milliseconds since our 200."""

    def __init__(self):
        self._records = []
        self._cseq = 0

    def datagram(self, ms, payload, source, destination):
        time_ns = START_NS + round(ms * MS)
        self._records.append((time_ns, record(payload, source, destination, time_ns)))

    def request(self, ms, method, *, sdp="", headers=(), metadata=None):
        self._cseq += method != "ACK"
        lines = [f"{method} sip:srs@{HERE} SIP/2.0", *self._headers(method), *headers]
        self.datagram(ms, _message(lines, sdp, metadata), (THERE, CLIENT[0]), (HERE, 5060))

    def response(self, ms, method, *, sdp="", status="200 OK"):
        self.datagram(
            ms, _message([f"SIP/2.0 {status}", *self._headers(method)], sdp), (HERE, 5060), (THERE, CLIENT[0])
        )

    def _headers(self, method):
        return (
            f"Via: SIP/2.0/UDP {THERE};branch=z9hG4bK-{self._cseq}",
            f"From: <sip:src@{THERE}>;tag=1",
            f"To: <sip:srs@{HERE}>;tag=2",
            "Call-ID: 1@example.com",
            f"CSeq: {self._cseq} {method}",
            f"Contact: <sip:here@{THERE}>",
        )

    def offer(self, ms, *media, metadata=None):
        """An INVITE, our 200 and the ACK; `media` are (kind, payload types, direction)."""
        self.request(ms - 2, "INVITE", sdp=_sdp(THERE, media, CLIENT[1:], {}), metadata=metadata)
        self.response(ms, "INVITE", sdp=_sdp(HERE, media, PORTS, {"sendonly": "recvonly"}))
        self.request(ms + 1, "ACK")

    def bye(self, ms):
        self.request(ms, "BYE")
        self.response(ms + 1, "BYE")

    def rtp(self, ms, leg, datagram, *, source=None):
        source = source or (THERE, CLIENT[1 + leg])
        self.datagram(ms, bytes(datagram), source, (HERE, PORTS[leg]))

    def write(self, path: Path, *, cut=0):
        octets = HEADER + b"".join(octets for _, octets in sorted(self._records, key=lambda item: item[0]))
        path.write_bytes(octets[: len(octets) - cut])
        return path


def _message(lines, sdp, metadata=None):
    kind, content = "application/sdp", sdp.encode()
    if metadata:
        kind, content = body.build(content, metadata)
    kinds = [f"Content-Type: {kind}"] if content else []
    return "\r\n".join([*lines, *kinds, f"Content-Length: {len(content)}", "", ""]).encode() + content


def _sdp(address, media, ports, directions):
    lines = ["v=0", f"o=- 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0"]
    for label, ((kind, types, direction), port) in enumerate(zip(media, ports, strict=False), start=1):
        lines += [f"m={kind} {port} RTP/AVP {' '.join(map(str, types))}", f"a=label:{label}"]
        lines += [line for number in types for line in RTPMAPS.get(number, ())]
        lines += [f"a={directions.get(direction, direction)}"]
    return "\r\n".join([*lines, ""])


RTPMAPS = {96: ["a=rtpmap:96 opus/48000/2"], 97: ["a=rtpmap:97 EVS/16000"], 101: ["a=rtpmap:101 telephone-event/8000"]}
AUDIO = ("audio", (0, 8, 101), "sendonly")
HELD = ("audio", (0, 8, 101), "inactive")


def speech(seconds, seed):
    """Noise as codes of G.711: (packets, 160)."""
    return np.random.default_rng(seed).integers(0, 256, (round(seconds * 50), 160), dtype=np.uint8)


def stream(codes, *, payload_type=0, ssrc=7, sequence=65_500, timestamp=2**32 - 5000, step=None):
    """RTP packets around payloads, as RFC 3550 §5.1 lays them out."""
    step = step or codes.shape[1]
    return [
        struct.pack(">BBHII", 0x80, payload_type, (sequence + i) & 0xFFFF, (timestamp + i * step) & 0xFFFFFFFF, ssrc)
        + payload.tobytes()
        for i, payload in enumerate(codes)
    ]


@pytest.fixture
def call():
    """A two-party call of 4 s that began 100 ms after the 200, with the same SSRC on both legs."""

    def build(*, payload_types=(0, 8), bye=4200.0):
        scene = Scene()
        scene.offer(0, AUDIO, AUDIO)
        codes = [speech(4, seed) for seed in (1, 2)]
        for leg, payload_type in enumerate(payload_types):
            for index, datagram in enumerate(stream(codes[leg], payload_type=payload_type)):
                scene.rtp(100 + 20 * index + 5 * leg, leg, datagram)
        if bye is not None:
            scene.bye(bye)
        return scene, codes

    return build


def truth(codes, payload_type, at_ms, length_s, kept=None):
    """The samples of a leg whose packets `kept` begin at `at_ms`."""
    sound = TABLES[payload_type][codes].astype(np.int16)
    if kept is not None:
        sound[~kept] = 0
    leg = np.zeros(round(length_s * 8000), np.int16)
    first = round(at_ms * 8)
    part = sound.ravel()[: len(leg) - first]
    leg[first : first + len(part)] = part
    return leg


def test_a_call_is_exact_on_both_channels(call, tmp_path):
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


def test_one_way_audio_is_told(call, tmp_path):
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


def test_channels_are_the_legs_side_by_side(call, tmp_path):
    scene, _ = call()
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    together, rate = channels(recording)
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


def test_facts_are_fit_for_json(call, tmp_path):
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


def test_without_a_bye_the_session_ends_with_its_sound(call, tmp_path):
    scene, _ = call(bye=None)
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    assert recording.interrupted
    assert recording.ended_ns == START_NS + 4105 * MS
    assert [len(leg.samples) for leg in recording.legs] == [32_840, 32_840]


def test_a_capture_cut_in_a_record_gives_what_is_there(call, tmp_path):
    scene, codes = call(bye=None)
    recording = finalise(scene.write(tmp_path / "1.pcap", cut=50))
    assert recording.facts["lost_tail"] > 0
    np.testing.assert_array_equal(recording.legs[0].samples, truth(codes[0], 0, 100, 4.1))
    assert [leg.facts.packets for leg in recording.legs] == [200, 199]


def test_the_sound_of_a_packet_before_the_bye_is_whole(call, tmp_path):
    scene, codes = call(bye=2101)
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    assert recording.ended_ns == START_NS + 2120 * MS
    np.testing.assert_array_equal(recording.legs[0].samples[:16_800], truth(codes[0], 0, 100, 2.1))
    np.testing.assert_array_equal(recording.legs[0].samples[16_800:], mu_law()[codes[0][100]])
    assert [leg.facts.after_end for leg in recording.legs] == [99, 100]


def test_packets_before_the_200_begin_the_recording(tmp_path):
    scene, codes = Scene(), speech(1, 3)
    scene.request(-100, "INVITE", sdp=_sdp(THERE, [AUDIO], CLIENT[1:], {}))
    scene.response(0, "INVITE", sdp=_sdp(HERE, [AUDIO], PORTS, {"sendonly": "recvonly"}))
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


def test_strangers_are_counted_and_not_heard(call, tmp_path):
    scene, codes = call()
    for index, datagram in enumerate(stream(speech(1, 9), sequence=65_510)):
        scene.rtp(1000 + 20 * index, 0, datagram, source=("127.0.0.9", 1234))
    leg = finalise(scene.write(tmp_path / "1.pcap")).legs[0]
    np.testing.assert_array_equal(leg.samples, truth(codes[0], 0, 100, 4.2))
    assert (leg.facts.strangers, leg.facts.packets, leg.facts.duplicates) == (50, 200, 0)


def test_lone_packets_of_other_ssrcs_are_not_heard(call, tmp_path):
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


def test_digits_and_comfort_noise_are_counted_and_not_heard(call, tmp_path):
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


def test_what_is_no_rtp_is_counted(call, tmp_path):
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


def test_kernel_drops_stand_with_the_leg_of_the_port(call, tmp_path):
    """The recorder's notes count since the port was opened, and come also after the BYE; a client cannot write any."""
    scene, _ = call()
    for ms, count in ((500, 3), (4300, 4)):
        note = events.info("1@example.com", f"kernel-drops;port={PORTS[1]};count={count}")
        scene.datagram(ms, note, (HERE, 5060), (HERE, 5060))
    scene.request(600, "INFO", headers=[f"X-SRS-Event: kernel-drops;port={PORTS[0]};count=9"])
    recording = finalise(scene.write(tmp_path / "1.pcap"))
    assert [leg.facts.kernel_dropped for leg in recording.legs] == [0, 4]
    assert recording.facts["events"][-1] == [4.3, f"kernel-drops;port={PORTS[1]};count=4"]


def test_a_note_after_the_last_packet_does_not_lengthen_the_session(call, tmp_path):
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
    together, rate = channels(finalise(scene.write(tmp_path / "1.pcap")))
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


def stream_at(port, address=HERE, since=START_NS):
    return Stream(0, "audio", "1", (address, port), None, ((since, (STATIC[0],)),), ((since, "recvonly"),), None)


def test_datagrams_go_by_port_and_by_address_where_it_is_seen(call, tmp_path):
    scene, _ = call()
    scene.datagram(1000, b"elsewhere", (THERE, 1), ("127.0.0.77", PORTS[0]))
    datagrams = read(scene.write(tmp_path / "1.pcap"))
    seen, public = demultiplex(datagrams, [stream_at(PORTS[0]), stream_at(PORTS[1], "192.0.2.1")], START_NS)
    assert (len(seen), len(public)) == (200, 200)


def test_streams_that_follow_each_other_on_one_port_each_have_their_time(call, tmp_path):
    scene, _ = call()
    datagrams = read(scene.write(tmp_path / "1.pcap"))
    streams = [stream_at(PORTS[0], since=START_NS + ms * MS) for ms in (2100, 0)]
    second, first = demultiplex(datagrams, streams, START_NS)
    assert (len(first), len(second)) == (100, 100)
    assert datagrams.time_ns[first].max() < START_NS + 2100 * MS <= datagrams.time_ns[second].min()


def test_what_came_before_the_session_is_not_its_own(call, tmp_path):
    datagrams = read(call()[0].write(tmp_path / "1.pcap"))
    assert len(demultiplex(datagrams, [stream_at(PORTS[0])], START_NS + 4000 * MS)[0]) == 5


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
    scene.request(0, "INVITE", sdp=_sdp(THERE, [AUDIO], CLIENT[1:], {}))
    scene.response(1, "INVITE", status="488 Not Acceptable Here")
    with pytest.raises(NoSession, match="no audio stream"):
        finalise(scene.write(tmp_path / "1.pcap"))


def test_another_file_is_no_capture(tmp_path):
    path = tmp_path / "1.pcap"
    path.write_bytes(b"RIFF" + bytes(100))
    with pytest.raises(CaptureError):
        finalise(path)


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
