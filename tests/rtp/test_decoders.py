"""Decoders against independent programs: what ffmpeg or PyAV's encoders made, decoded by ffmpeg as well."""

import io
import math
import shutil
import subprocess
from fractions import Fraction

import av
import numpy as np
import pytest

from rtp.codecs import Codec, decodable, decode, ticks
from rtp.codecs.g711 import a_law, mu_law

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")

RNG = np.random.default_rng(5)


def ffmpeg(*arguments: str, octets: bytes = b"") -> bytes:
    command = ["ffmpeg", "-v", "error", *arguments]
    return subprocess.run(command, input=octets, capture_output=True, check=True).stdout


def speech(rate: int, seconds: float = 2.0) -> np.ndarray:
    """Harmonics that rise and fall like a voice."""
    t = np.arange(round(rate * seconds)) / rate
    pitch = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 1.5 * t)) / rate
    voice = sum(np.sin(n * pitch) / n for n in range(1, 12))
    return np.rint(4000 * voice * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))).astype(np.int16)


def raw(rate: int) -> list[str]:
    return ["-f", "s16le", "-ar", str(rate), "-ac", "1"]


def take(codec: Codec, payloads: list[bytes], lost=None):
    """Decode payloads that lie in some octets, as they do in a capture."""
    data = np.frombuffer(b"\xa5" * 7 + b"".join(payloads) + b"\xa5", np.uint8)
    length = np.array([len(payload) for payload in payloads], np.int64)
    start = 7 + np.cumsum(length) - length
    decoded = decode(codec, data, start, length, None if lost is None else np.asarray(lost))
    sound = decoded.counts - (0 if decoded.lead is None else decoded.lead)
    np.testing.assert_array_equal(sound * codec.clock_rate // decoded.rate, ticks(codec, data, start, length))
    return decoded


def cut(octets: bytes, *sizes: int) -> list[bytes]:
    """Pieces of these sizes in turn: mixed ptime."""
    pieces, at = [], 0
    while at < len(octets):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(octets[at : at + size])
        at += size
    return pieces


def snr(decoded: np.ndarray, truth: np.ndarray) -> float:
    """Decibels, at the best delay up to 10 ms of 48 kHz."""
    best = -math.inf
    for delay in range(480):
        part = decoded[delay : delay + len(truth) - 480].astype(float)
        wanted = truth[: len(part)].astype(float)
        best = max(best, 10 * math.log10((wanted**2).sum() / max(((part - wanted) ** 2).sum(), 1e-9)))
    return best


def test_g722_is_what_ffmpeg_decodes():
    octets = ffmpeg(*raw(16000), "-i", "-", "-f", "g722", "-", octets=speech(16000).tobytes())
    decoded = take(Codec(9, "G722", 8000), cut(octets, 80, 160, 320, 960))
    theirs = np.frombuffer(ffmpeg("-f", "g722", "-i", "-", *raw(16000), "-", octets=octets), "<i2")
    assert decoded.rate == 16000
    np.testing.assert_array_equal(decoded.samples, theirs)
    assert snr(decoded.samples, speech(16000)) > 15


@pytest.mark.parametrize("bits", [2, 4])
@pytest.mark.parametrize(("name", "form"), [("G726", "g726le"), ("AAL2-G726", "g726")])
def test_g726_in_both_orders_is_what_ffmpeg_decodes(name, form, bits):
    rate = ["-b:a", f"{8 * bits}k"]
    octets = ffmpeg(*raw(8000), "-i", "-", *rate, "-f", form, "-", octets=speech(8000).tobytes())
    octets = octets[: len(octets) // (20 * bits) * 20 * bits]
    decoded = take(Codec(96, f"{name}-{8 * bits}", 8000), cut(octets, 20 * bits, 10 * bits, 60 * bits))
    given = ["-f", form, "-code_size", str(bits), "-i", "-"]
    theirs = np.frombuffer(ffmpeg(*given, *raw(8000), "-", octets=octets), "<i2")
    np.testing.assert_array_equal(decoded.samples, theirs)
    assert snr(decoded.samples, speech(8000)) > {2: 4, 4: 14}[bits]


def test_gsm_is_what_ffmpeg_decodes():
    octets = ffmpeg(*raw(8000), "-i", "-", "-c:a", "libgsm", "-f", "gsm", "-", octets=speech(8000).tobytes())
    decoded = take(Codec(3, "GSM", 8000), cut(octets, 33, 66, 99))
    theirs = np.frombuffer(ffmpeg("-f", "gsm", "-c:a", "libgsm", "-i", "-", *raw(8000), "-", octets=octets), "<i2")
    np.testing.assert_array_equal(decoded.samples, theirs)


def test_g729_frames_and_descriptions_of_silence():
    octets = RNG.integers(0, 256, 500, dtype=np.uint8).tobytes()
    theirs = np.frombuffer(ffmpeg("-f", "g729", "-i", "-", *raw(8000), "-", octets=octets), "<i2")
    payloads = cut(octets, 20, 10, 40, 30)
    decoded = take(Codec(18, "G729", 8000), payloads)
    np.testing.assert_array_equal(decoded.samples, theirs)
    assert np.abs(theirs).max() > 1000
    with_silence = take(Codec(18, "G729", 8000), [octets[:20] + b"\x12\x34", b"\x12\x34", octets[20:40]])
    assert with_silence.counts.tolist() == [240, 80, 160]
    assert not with_silence.samples[160:320].any()
    assert with_silence.damaged == 0
    np.testing.assert_array_equal(np.delete(with_silence.samples, np.s_[160:320]), theirs[:320])


def test_g723_is_what_ffmpeg_decodes_of_a_voice_that_it_encoded():
    voice = speech(8000)
    octets = ffmpeg(
        *raw(8000), "-i", "-", "-c:a", "g723_1", "-b:a", "6300", "-f", "g723_1", "-", octets=voice.tobytes()
    )
    decoded = take(Codec(4, "G723", 8000), cut(octets, 24, 48))
    theirs = np.frombuffer(ffmpeg("-f", "g723_1", "-i", "-", *raw(8000), "-", octets=octets), "<i2")
    np.testing.assert_array_equal(decoded.samples, theirs)
    assert snr(decoded.samples, voice) > 5


@pytest.mark.parametrize(("size", "samples", "head"), [(38, 160, b"#!iLBC20\n"), (50, 240, b"#!iLBC30\n")])
def test_ilbc_is_what_ffmpeg_decodes(size, samples, head):
    octets = RNG.integers(0, 256, 40 * size, dtype=np.uint8)
    octets[size - 1 :: size] &= 0xFE  # the last bit tells an empty frame
    theirs = ffmpeg("-f", "ilbc", "-i", "-", *raw(8000), "-", octets=head + octets.tobytes())
    decoded = take(Codec(97, "ILBC", 8000), cut(octets.tobytes(), size, 2 * size))
    np.testing.assert_array_equal(decoded.samples, np.frombuffer(theirs, "<i2"))
    assert decoded.counts[:2].tolist() == [samples, 2 * samples]


def efficient(kinds: list[int], frames: list[bytes], bits: list[int]) -> bytes:
    """RFC 4867 §4.3, bit by bit, as a text of digits."""
    text = "1111" + "".join(f"{i < len(kinds) - 1:d}{kind:04b}1" for i, kind in enumerate(kinds))
    text += "".join("".join(f"{octet:08b}" for octet in frame)[:size] for frame, size in zip(frames, bits, strict=True))
    text += "0" * (-len(text) % 8)
    return bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))


def aligned(kinds: list[int], frames: list[bytes], bits: list[int]) -> bytes:
    """RFC 4867 §4.4."""
    table = [(i < len(kinds) - 1) << 7 | kind << 3 | 4 for i, kind in enumerate(kinds)]
    return bytes([0xF0, *table]) + b"".join(frames)


@pytest.mark.parametrize(("fmtp", "pack"), [("mode-set=0,7", efficient), ("octet-align=1; mode-set=0,7", aligned)])
@pytest.mark.parametrize(
    ("name", "rate", "head", "bits"),
    [("AMR", 8000, b"#!AMR\n", {0: 95, 5: 159, 7: 244}), ("AMR-WB", 16000, b"#!AMR-WB\n", {0: 132, 3: 285, 8: 477})],
)
def test_amr_in_both_layouts_is_what_ffmpeg_decodes(name, rate, head, bits, fmtp, pack):
    kinds = RNG.choice(list(bits), 60).tolist()
    sizes = [bits[kind] for kind in kinds]
    frames = []
    for size in sizes:
        frame = RNG.integers(0, 256, -(-size // 8), dtype=np.uint8)
        frame[-1] &= 0xFF << (-size % 8) & 0xFF
        frames.append(frame.tobytes())
    stored = b"".join(bytes([kind << 3 | 4]) + frame for kind, frame in zip(kinds, frames, strict=True))
    form = name.lower().replace("-", "")
    theirs = ffmpeg("-f", {"amr": "amr", "amrwb": "amr"}[form], "-i", "-", *raw(rate), "-", octets=head + stored)
    groups = [slice(0, 1), slice(1, 4), *(slice(at, at + 2) for at in range(4, 60, 2))]
    decoded = take(Codec(98, name, rate, fmtp=fmtp), [pack(kinds[g], frames[g], sizes[g]) for g in groups])
    assert (decoded.rate, decoded.damaged) == (rate, 0)
    theirs = np.frombuffer(theirs, "<i2").astype(int)
    assert len(decoded.samples) == len(theirs)
    assert np.abs(decoded.samples - theirs).max() <= 1  # ffmpeg rounds from floating point with its own resampler
    assert np.abs(theirs).max() > 1000


@pytest.mark.parametrize("fmtp", ["interleaving=4", "crc=1", "octet-align=1;robust-sorting=1"])
def test_amr_of_kinds_that_nobody_sends_is_kept_undecoded(fmtp):
    assert not decodable(Codec(98, "AMR", 8000, fmtp=fmtp))


def test_amr_silence_and_damage():
    codec = Codec(98, "AMR", 8000, fmtp="octet-align=1")
    speech_frame = RNG.integers(0, 256, 31, dtype=np.uint8).tobytes()
    sid, nothing, bad = (aligned([kind], [frame], []) for kind, frame in [(8, bytes(5)), (15, b""), (12, bytes(9))])
    cut_off = aligned([7], [speech_frame[:20]], [])
    decoded = take(codec, [aligned([7], [speech_frame], []), sid, nothing, bad, cut_off, b"\xf0"])
    assert decoded.counts.tolist() == [160, 160, 160, 0, 0, 0]
    assert not decoded.samples[160:].any()
    assert decoded.damaged == 3


def test_l16_is_its_octets_and_two_channels_are_mixed():
    sound = speech(8000)
    decoded = take(Codec(11, "L16", 44100), cut(sound.astype(">i2").tobytes(), 640, 320))
    np.testing.assert_array_equal(decoded.samples, sound)
    both = np.column_stack([sound, sound // 2]).astype(">i2").tobytes()
    decoded = take(Codec(10, "L16", 44100, 2), cut(both, 640))
    np.testing.assert_array_equal(decoded.samples, np.rint((sound + sound // 2.0) / 2))


def opus(sound: np.ndarray, channels: int = 1, **options: str) -> list[bytes]:
    """Packets of libopus, 20 ms each unless `frame_duration` says otherwise."""
    context = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48000, "stereo" if channels == 2 else "mono", "s16"
    context.bit_rate = 24_000
    context.options = options
    context.open()
    packets = []
    size = context.frame_size
    for at in range(0, len(sound) // size * size, size):
        part = np.repeat(sound[at : at + size], channels).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(part, format="s16", layout=context.layout.name)
        frame.sample_rate, frame.pts = 48000, at
        packets += [bytes(packet) for packet in context.encode(frame)]
    return packets


def ogg(packets: list[bytes], duration: int) -> bytes:
    """The packets as a file that ffmpeg reads, without samples to skip."""
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48000)
        stream.codec_context.layout = "mono"
        stream.codec_context.extradata = b"OpusHead\x01\x01\x00\x00\x80\xbb\x00\x00\x00\x00\x00"
        for index, octets in enumerate(packets):
            packet = av.Packet(octets)
            packet.stream, packet.pts, packet.duration = stream, index * 48 * duration, 48 * duration
            packet.time_base = Fraction(1, 48000)
            container.mux(packet)
    return file.getvalue()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("duration", [10, 20, 60, 120])
@pytest.mark.parametrize(
    ("decoder", "error"), [("libopus", 0), ("opus", 0.12)]
)  # FFmpeg's own resamples in another way
def test_opus_of_any_length_is_what_ffmpeg_decodes(channels, duration, decoder, error):
    packets = opus(speech(48000), channels, frame_duration=str(duration), application="voip")
    decoded = take(Codec(96, "OPUS", 48000, 2), packets)
    assert (decoded.rate, decoded.damaged) == (48000, 0)
    assert decoded.counts.tolist() == [48 * duration] * len(packets)
    theirs = ffmpeg("-c:a", decoder, "-i", "-", *raw(48000), "-", octets=ogg(packets, duration))
    theirs = np.frombuffer(theirs, "<i2").astype(float)[-len(decoded.samples) :]
    noise = decoded.samples[-len(theirs) :] - theirs
    assert len(theirs) > 40_000
    assert np.sqrt((noise**2).mean()) <= error * np.sqrt((theirs**2).mean())


def test_opus_of_a_narrow_sender_is_decoded_at_its_rate():
    packets = opus(speech(48000))
    decoded = take(Codec(96, "OPUS", 48000, 2, "sprop-maxcapturerate=16000; useinbandfec=1"), packets)
    assert (decoded.rate, len(decoded.samples)) == (16000, 320 * len(packets))


@pytest.mark.parametrize("told", [960, 958, 962])  # the skew of a clock is made good
def test_opus_fills_a_loss_from_the_copy_in_the_next_packet(told):
    packets = opus(speech(48000), fec="1", packet_loss="20", application="voip")
    whole = take(Codec(96, "OPUS", 48000, 2), packets).samples
    lost = 40
    rest = packets[:lost] + packets[lost + 1 :]
    gone = np.zeros(len(rest), np.int64)
    gone[lost] = told
    decoded = take(Codec(96, "OPUS", 48000, 2), rest, gone)
    assert np.flatnonzero(decoded.lead).tolist() == [lost]
    assert len(decoded.samples) == len(whole)
    place = slice(960 * lost, 960 * (lost + 1))
    likeness = np.corrcoef(decoded.samples[place], whole[place])[0, 1]
    assert likeness > 0.9
    assert not decoded.concealed


def test_opus_without_a_copy_leaves_the_loss_alone():
    packets = opus(speech(48000), application="voip")
    decoded = take(Codec(96, "OPUS", 48000, 2), packets[1:], [2880] + [0] * (len(packets) - 2))
    assert not decoded.lead.any()


def test_a_copy_longer_than_the_loss_is_not_used():
    """It would lie over what came before; libopus has none of such a length."""
    packets = opus(speech(48000), fec="1", packet_loss="20", application="voip")
    decoded = take(Codec(96, "OPUS", 48000, 2), packets, [480 * (index == 41) for index in range(len(packets))])
    assert not decoded.lead.any()
    assert [len(part) for part in decoded.concealed.values()] == [480]


def test_opus_that_is_none_is_silence_and_counted():
    good = opus(speech(48000))[:3]
    decoded = take(Codec(96, "OPUS", 48000, 2), [good[0], b"\x7b\x3f" + bytes(9), b"\x0b", good[1][:1] + b"", good[2]])
    assert decoded.counts[1] == decoded.counts[2] == 0
    assert decoded.damaged >= 2


@pytest.mark.parametrize("codec", [Codec(3, "GSM", 8000), Codec(18, "G729", 8000), Codec(4, "G723", 8000)])
def test_cut_frames_are_counted_and_the_rest_is_decoded(codec):
    size = {"GSM": 33, "G729": 10, "G723": 24}[codec.name]
    frame = bytes([0xD0 if codec.name == "GSM" else 0]) + bytes(range(size - 1))
    decoded = take(codec, [frame, frame + frame[: size - 1], frame[:5], frame])
    one = decoded.counts[0]
    assert decoded.counts.tolist() == [one, one, 0, one]
    assert decoded.damaged == 2


def test_more_frames_than_any_packet_has_are_something_else():
    decoded = take(Codec(4, "G723", 8000), [b"\x03" * 7, b"\x03" * 6])
    assert decoded.counts.tolist() == [0, 6 * 240]
    assert decoded.damaged == 1


def test_an_amr_frame_that_is_told_to_be_damaged_is_silence():
    codec = Codec(98, "AMR", 8000, fmtp="octet-align=1")
    frame = RNG.integers(0, 256, 31, dtype=np.uint8).tobytes()
    good, bad = (bytes([0xF0, 7 << 3 | quality << 2]) + frame for quality in (1, 0))
    decoded = take(codec, [good, bad])
    assert decoded.samples[:160].any()
    assert not decoded.samples[160:].any()


def test_opus_goes_on_through_discontinuous_transmission():
    """In silence an encoder may send the first octet alone (RFC 6716 §3.1): it sounds as long as a whole packet."""
    packets = opus(speech(48000), application="voip")
    sparse = [octets[:1] if 40 <= index < 80 else octets for index, octets in enumerate(packets)]
    decoded = take(Codec(96, "OPUS", 48000, 2), sparse)
    assert (decoded.damaged, set(decoded.counts.tolist())) == (0, {960})
    whole = take(Codec(96, "OPUS", 48000, 2), packets)
    np.testing.assert_array_equal(decoded.samples[: 40 * 960], whole.samples[: 40 * 960])
    assert np.corrcoef(decoded.samples[90 * 960 :], whole.samples[90 * 960 :])[0, 1] > 0.9


@pytest.mark.parametrize(("name", "table"), [("PCMU", mu_law()), ("PCMA", a_law())])
@pytest.mark.parametrize("lengths", [[160], [7, 160, 0, 33]], ids=["alike", "odd"])
def test_g711_of_more_packets_than_are_decoded_at_once(name, table, lengths):
    length = np.resize(lengths, 1300).astype(np.int64)
    data = np.random.default_rng(1).integers(0, 256, 400_000, dtype=np.uint8)
    start = np.cumsum(length) - length + 12 * np.arange(1300)
    heard = decode(Codec(0, name, 8000), data, start, length, np.zeros(1300, np.int64))
    codes = np.concatenate([data[at : at + size] for at, size in zip(start, length, strict=True)])
    np.testing.assert_array_equal(heard.samples, table[codes])
