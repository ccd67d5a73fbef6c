"""What encoders of other projects make of a voice, decoded here and by the same projects."""

import io

import av
import numpy as np
import pytest

from rtp.codecs import Codec
from tests.rtp.test_decoders import cut, ffmpeg, snr, speech, take
from tests.support import encoders
from tests.support.encoders import Spandsp

BANDS = 20


def spectra(sound: np.ndarray, rate: int) -> np.ndarray:
    """Decibels of bands, frame of 20 ms by frame, down to 40 below the loudest."""
    size = rate // 50
    frames = sound[: len(sound) // size * size].reshape(-1, size) * np.hanning(size)
    power = np.abs(np.fft.rfft(frames))[:, : size // 2] ** 2
    bands = power.reshape(len(frames), BANDS, -1).sum(axis=2)
    return 10 * np.log10(np.maximum(bands, bands.max() / 1e4))


def lag(sound: np.ndarray, wanted: np.ndarray) -> int:
    """Samples by which a sound is late, at most 20 either way."""
    core = wanted[500:-500].astype(float)
    products = [float(core @ sound[500 + by : len(wanted) - 500 + by]) for by in range(-20, 21)]
    return int(np.argmax(products)) - 20


def check(ours: np.ndarray, theirs: np.ndarray, rate: int, decibels: float) -> None:
    assert len(ours) == len(theirs)
    assert abs(lag(ours, theirs)) <= rate // 8000
    assert np.abs(spectra(ours, rate) - spectra(theirs, rate)).mean() < decibels


def pauses(sound: np.ndarray) -> np.ndarray:
    """The same with a second of a quiet line in the middle."""
    quiet = sound.copy()
    quiet[4000:12_000] = np.random.default_rng(1).normal(0, 3, 8000)
    return quiet


@pytest.mark.parametrize("bits", [2, 3, 4, 5])
@pytest.mark.parametrize(("name", "order"), [("G726", 2), ("AAL2-G726", 1)])
def test_g726_of_spandsp(bits, name, order):
    codec, sound = Spandsp("g726", 8000 * bits, 0, order), speech(8000, 1.0)
    octets = codec.encode(sound)
    ours = take(Codec(96, f"{name}-{8 * bits}", 8000), cut(octets, 20 * bits, 10 * bits)).samples
    theirs = codec.decode(octets)
    if bits in (3, 5):  # of our own; FFmpeg rounds in other places
        np.testing.assert_array_equal(ours, theirs)
    assert snr(ours, sound) > snr(theirs, sound) - 1


@pytest.mark.parametrize("bits", [3, 5])
def test_g726_of_a_modem_and_at_full_scale(bits):
    t = np.arange(8000)
    bursts = 8000 * np.sign(np.sin(2 * np.pi * 1800 / 8000 * t)) * (t % 2000 < 1000)
    for sound in (bursts.astype(np.int16), np.random.default_rng(2).integers(-32768, 32767, 4000).astype(np.int16)):
        codec = Spandsp("g726", 8000 * bits, 0, 2)
        octets = codec.encode(sound)
        octets = octets[: len(octets) // bits * bits]
        ours = take(Codec(96, f"G726-{8 * bits}", 8000), cut(octets, 50 * bits)).samples
        theirs = codec.decode(octets)
        whole = np.abs(ours.astype(int)) < 32_000  # where spandsp does not overflow
        np.testing.assert_array_equal(ours[whole], theirs[: len(ours)][whole])
        assert whole.mean() > 0.7


def test_g722_of_spandsp():
    codec, sound = Spandsp("g722", 64_000, 0), speech(16_000)
    octets = codec.encode(sound)
    ours = take(Codec(9, "G722", 8000), cut(octets, 160, 80)).samples
    np.testing.assert_array_equal(ours, codec.decode(octets))
    assert snr(ours, sound) > 30


def test_gsm_of_spandsp():
    codec, sound = Spandsp("gsm0610", 2), speech(8000)
    octets = codec.encode(sound)
    ours = take(Codec(3, "GSM", 8000), cut(octets, 33, 66)).samples
    np.testing.assert_array_equal(ours, codec.decode(octets))
    assert snr(ours, sound) > 15


OPUS = Codec(96, "OPUS", 48_000, 2)


def packets(encoder: encoders.Opus, sound: np.ndarray, size: int = 960) -> list[bytes]:
    return [encoder.encode(part) for part in sound[: len(sound) // size * size].reshape(-1, size)]


@pytest.mark.parametrize("application", [encoders.Opus.VOICE, encoders.Opus.AUDIO])
def test_opus_goes_on_over_losses_as_another_libopus_does(application):
    sent = packets(encoders.Opus(32_000, application), speech(48_000))
    came = [octets for index, octets in enumerate(sent) if index not in (30, 50, 51)]
    lost = np.zeros(len(came), np.int64)
    lost[[30, 49]] = 960, 1920
    decoded = take(OPUS, came, lost)
    theirs = encoders.opus_decoded(
        [None if index in (30, 50, 51) else octets for index, octets in enumerate(sent)], 960
    )
    ours = np.insert(decoded.samples, [30 * 960] * 960 + [49 * 960] * 1920, 0)
    ours[30 * 960 :][:960], ours[50 * 960 :][:1920] = decoded.concealed[30], decoded.concealed[49]
    assert sorted(decoded.concealed) == [30, 49]
    assert snr(ours, theirs) > 25


def test_opus_sounds_60_ms_of_a_long_loss_over_and_they_fade():
    sent = packets(encoders.Opus(32_000), speech(48_000))
    decoded = take(OPUS, sent[:40] + sent[55:], [15 * 960 * (index == 40) for index in range(len(sent) - 15)])
    made = decoded.concealed[40].astype(float)
    assert len(made) == 2880
    assert np.abs(made[:960]).max() > 500
    assert made[-1] == 0
    assert np.abs(made[-48:]).max() < 0.2 * np.abs(made[-960:-480]).max()


def test_opus_that_sends_nothing_while_it_is_silent():
    quiet = np.random.default_rng(1).normal(0, 3, 72_000).astype(np.int16)
    sound = np.concatenate([speech(48_000, 0.5), quiet, speech(48_000)])
    sent = packets(encoders.Opus(24_000, encoders.Opus.VOICE, dtx=True), sound)
    came = [octets for octets in sent if len(octets) > 2]
    assert len(came) < len(sent) - 20
    decoded = take(OPUS, came)
    assert (decoded.damaged, set(decoded.counts.tolist())) == (0, {960})
    theirs = encoders.opus_decoded([octets if len(octets) > 2 else None for octets in sent], 960)
    assert np.corrcoef(decoded.samples[-48_000:], theirs[-48_000:])[0, 1] > 0.95


@pytest.mark.parametrize("channels", [1, 2])
def test_opus_of_the_encoder_that_ffmpeg_has_itself(channels):
    """Another encoder than libopus, in CELT only; both channels are heard."""
    sound = speech(48_000)
    sides = np.column_stack([sound, sound[::-1]])[:, :channels]
    arguments = [
        "-f",
        "s16le",
        "-ar",
        "48000",
        "-ac",
        str(channels),
        "-i",
        "-",
        "-c:a",
        "opus",
        "-strict",
        "-2",
        "-b:a",
        "96k",
    ]
    file = ffmpeg(*arguments, "-f", "ogg", "-", octets=np.ascontiguousarray(sides).tobytes())
    with av.open(io.BytesIO(file)) as container:
        sent = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    decoded = take(OPUS, sent)
    assert decoded.damaged == 0
    wanted = np.rint(sides.astype(float).mean(axis=1)).astype(np.int16)
    assert snr(decoded.samples, wanted) > 15


@pytest.mark.parametrize("mode", range(8))
def test_amr_of_opencore(mode):
    frames = encoders.amr(speech(8000), mode)
    decoded = take(Codec(98, "AMR", 8000, fmtp="octet-align=1"), [b"\xf0" + frame for frame in frames])
    assert decoded.damaged == 0
    check(decoded.samples, encoders.amr_decoded(frames), 8000, 3.0)


def test_silence_that_opencore_describes_is_silent():
    frames = encoders.amr(pauses(speech(8000)), 7, dtx=True)
    assert {len(frame) for frame in frames} == {1, 6, 32}
    decoded = take(Codec(98, "AMR", 8000, fmtp="octet-align=1"), [b"\xf0" + frame for frame in frames])
    assert decoded.damaged == 0
    speaks = np.repeat([len(frame) == 32 for frame in frames], 160)
    assert not decoded.samples[~speaks].any()
    check(decoded.samples[:4000], encoders.amr_decoded(frames)[:4000], 8000, 3.0)


@pytest.mark.parametrize("mode", [0, 2, 5, 8])
def test_amr_wb_of_vo_amrwbenc(mode):
    frames = encoders.amr_wb(speech(16_000), mode)
    decoded = take(Codec(98, "AMR-WB", 16_000, fmtp="octet-align=1"), [b"\xf0" + frame for frame in frames])
    assert decoded.damaged == 0
    check(decoded.samples, encoders.amr_decoded(frames, wide=True), 16_000, 3.0)


def test_g729_of_bcg729():
    frames = encoders.g729(speech(8000))
    decoded = take(Codec(18, "G729", 8000), [b"".join(frames[at : at + 2]) for at in range(0, len(frames), 2)])
    check(decoded.samples, encoders.g729_decoded(frames), 8000, 1.0)


def test_silence_that_bcg729_describes_is_silent():
    frames = encoders.g729(pauses(speech(8000)), silence=True)
    assert {len(frame) for frame in frames} == {0, 2, 10}
    sent = [frame for frame in frames if frame]
    decoded = take(Codec(18, "G729", 8000), sent)
    assert decoded.counts.tolist() == [80] * len(sent)
    assert decoded.damaged == 0
    speaks = np.repeat([len(frame) == 10 for frame in sent], 80)
    assert not decoded.samples[~speaks].any()
    check(decoded.samples[:4000], encoders.g729_decoded(frames)[:4000], 8000, 1.0)
