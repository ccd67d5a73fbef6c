"""Sound files, judged by decoders that are not ours: ffmpeg, ffprobe and sox."""

import io
import json
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from srs.archive import audio
from srs.archive.errors import NotReady

TAGS = {"title": "alice → bob", "date": "2026-11-24T12:00:00Z", "comment": "ab12"}

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffmpeg is not installed")
needs_sox = pytest.mark.skipif(not shutil.which("soxi"), reason="sox is not installed")


def tones(seconds: float, rate: int, *frequencies: int) -> audio.Samples:
    """A sine for each channel."""
    time = np.arange(round(seconds * rate))[:, None] / rate
    return (12000 * np.sin(2 * np.pi * time * np.array(frequencies))).astype(np.int16)


def write(path: Path, samples: audio.Samples, rate: int) -> Path:
    with path.open("w+b") as file:
        audio.write(file, path.suffix[1:], audio.pieces(samples), samples.shape[1], rate, TAGS)
    return path


def decode(path: Path, rate: int, channels: int) -> audio.Samples:
    """By the ffmpeg command line."""
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "s16le", "-ar", str(rate), "-"]
    done = subprocess.run(command, check=True, capture_output=True)
    assert done.stderr == b""
    return np.frombuffer(done.stdout, "<i2").reshape(-1, channels)


def probe(path: Path) -> dict:
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", path]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def pitch(samples: np.ndarray, rate: int) -> float:
    """Hz of the strongest tone."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * rate / len(samples))


@needs_ffmpeg
@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("kind", ["wav", "flac"])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_lossless_formats_keep_every_sample(tmp_path: Path, kind: str, rate: int, channels: int):
    samples = np.random.default_rng(1).integers(-32768, 32768, (rate * 3 + 77, channels), np.int16)
    path = write(tmp_path / f"x.{kind}", samples, rate)
    assert np.array_equal(decode(path, rate, channels), samples)


@needs_ffmpeg
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("kind", ["mp3", "opus"])
def test_lossy_formats_keep_length_channels_tones_and_tags(tmp_path: Path, kind: str, rate: int):
    path = write(tmp_path / f"x.{kind}", tones(9.5, rate, 440, 1000), rate)
    stream = probe(path)["streams"][0]
    assert stream["channels"] == 2
    decoded = decode(path, 48000, 2)
    assert len(decoded) / 48000 == pytest.approx(9.5, abs=0.02)
    assert pitch(decoded[:, 0], 48000) == pytest.approx(440, abs=1)
    assert pitch(decoded[:, 1], 48000) == pytest.approx(1000, abs=1)


@needs_ffmpeg
@pytest.mark.parametrize("kind", ["flac", "mp3", "opus"])
def test_tags_say_who_and_when(tmp_path: Path, kind: str):
    found = probe(write(tmp_path / f"x.{kind}", tones(1, 8000, 440, 1000), 8000))
    tags = {
        name.lower(): value
        for name, value in {**found["format"].get("tags", {}), **found["streams"][0].get("tags", {})}.items()
    }
    assert tags["title"] == "alice → bob"
    assert tags["date"] == "2026-11-24T12:00:00Z"


@needs_ffmpeg
def test_an_mp3_of_three_legs_is_mixed_to_one_channel(tmp_path: Path):
    path = write(tmp_path / "x.mp3", tones(2, 8000, 440, 1000, 1500), 8000)
    decoded = decode(path, 8000, 1)[:, 0]
    spectrum = np.abs(np.fft.rfft(decoded[:8000]))
    assert all(spectrum[f] > 50 * np.median(spectrum) for f in (440, 1000, 1500))


@needs_ffmpeg
def test_opus_keeps_three_legs_apart(tmp_path: Path):
    decoded = decode(write(tmp_path / "x.opus", tones(2, 8000, 440, 1000, 1500), 8000), 8000, 3)
    assert [round(pitch(decoded[:, i], 8000)) for i in range(3)] == [440, 1000, 1500]


@needs_sox
def test_sox_reads_the_wav_alike(tmp_path: Path):
    samples = tones(1.5, 8000, 440, 1000)
    path = write(tmp_path / "x.wav", samples, 8000)
    raw = subprocess.run(["sox", path, "-t", "raw", "-"], check=True, capture_output=True).stdout
    assert np.array_equal(np.frombuffer(raw, "<i2").reshape(-1, 2), samples)


@pytest.mark.parametrize("kind", audio.FORMATS)
def test_no_sound_at_all_is_a_file_nevertheless(tmp_path: Path, kind: str):
    assert write(tmp_path / f"x.{kind}", np.zeros((0, 2), np.int16), 8000).stat().st_size > 0


@needs_ffmpeg
def test_beyond_4_gib_it_is_rf64(tmp_path: Path):
    octets = 5 << 30
    header = audio.wav_header(2, 48000, octets)
    path = tmp_path / "x.wav"
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + octets)  # sparse
    assert float(probe(path)["format"]["duration"]) == pytest.approx(octets / 4 / 48000)


def test_rf64_counts_octets_and_frames():
    """Where EBU Tech 3306 has them; players skip the frames, so they would not tell."""
    octets = 5 << 30
    header = audio.wav_header(2, 48000, octets)
    name, size, riff, data, frames, table = struct.unpack_from("<4sIQQQI", header, 12)
    assert (name, size, table) == (b"ds64", 28, 0)
    assert (riff, data, frames) == (len(header) - 8 + octets, octets, octets // 4)


def test_growing_beyond_the_header_moves_the_sound_up(monkeypatch: pytest.MonkeyPatch):
    samples = tones(30, 48000, 440, 1000)
    monkeypatch.setattr(audio, "_LARGEST_RIFF", 1000)
    file = io.BytesIO()
    audio.write(file, "wav", audio.pieces(samples), 2, 48000, {})
    assert file.getvalue()[80:] == samples.tobytes()
    assert file.getvalue()[:4] == b"RF64"


@given(arrays(np.int16, st.tuples(st.integers(0, 50), st.integers(1, 5))))
def test_mixing_adds_and_saturates(samples: audio.Samples):
    expected = [[min(max(sum(map(int, frame)), -32768), 32767)] for frame in samples]
    assert audio.mixed(samples).tolist() == expected


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_what_was_written_is_read_alike(tmp_path: Path, kind: str):
    samples = tones(20, 8000, 440, 1000)
    with write(tmp_path / f"x.{kind}", samples, 8000).open("rb") as file:
        sound = audio.read(file)
        assert (sound.channels, sound.rate) == (2, 8000)
        taken = list(sound.pieces)
    assert np.array_equal(np.concatenate(taken), samples)
    assert max(map(len, taken)) <= audio.PIECE_FRAMES


def test_what_is_no_sound_is_refused():
    with pytest.raises(NotReady, match="cannot be decoded"):
        audio.read(io.BytesIO(b"no sound"))
