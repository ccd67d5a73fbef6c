"""Sound files: samples in pieces, to and from wav, flac, mp3 and opus.

WAV is written here, so that it is exactly the samples and nothing else; the rest is PyAV's. Pieces are int16 arrays of
shape (frames, channels), a few seconds each, so that a long recording needs little memory.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, Final, cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray

from srs.archive.errors import NotReady

Samples = NDArray[np.int16]

PIECE_FRAMES: Final = 1 << 16
_LARGEST_RIFF: Final = 0xFFFFFFFF
_LAYOUTS: Final = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")


@dataclass(frozen=True, slots=True)
class Encoder:
    """What PyAV is asked for."""

    container: str
    codec: str
    sample_format: str
    rates: tuple[int, ...]
    """Hz, rising; a recording is resampled to the next one up. Empty: any."""
    bit_rate_per_channel: int | None
    most_channels: int
    """Recordings with more are mixed to one channel."""


ENCODERS: Final[Mapping[str, Encoder]] = {
    "flac": Encoder("flac", "flac", "s16", (), None, 8),
    "mp3": Encoder(
        "mp3", "libmp3lame", "s16p", (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000), 32_000, 2
    ),
    "opus": Encoder("ogg", "libopus", "s16", (8000, 12000, 16000, 24000, 48000), 32_000, 8),
}
FORMATS: Final = ("wav", *ENCODERS)


def pieces(samples: Samples) -> Iterator[Samples]:
    """Views of a whole recording, one piece after the other."""
    for start in range(0, len(samples), PIECE_FRAMES):
        yield samples[start : start + PIECE_FRAMES]


def mixed(samples: Samples) -> Samples:
    """All channels added into one, saturated: shape (frames, 1)."""
    total: NDArray[np.int32] = samples.sum(axis=1, keepdims=True, dtype=np.int32)
    return total.clip(-32768, 32767).astype(np.int16)


# Writing


def write(
    file: IO[bytes], kind: str, sound: Iterable[Samples], channels: int, rate: int, tags: Mapping[str, str]
) -> None:
    """Write a sound file.

    Args:
        file: seekable, empty.
        kind: one of FORMATS.
        sound: the pieces.
        rate: Hz.
        tags: `title`, `date` and so on; WAV has none.
    """
    if kind == "wav":
        _write_wav(file, sound, channels, rate)
    else:
        _encode(file, ENCODERS[kind], sound, channels, rate, tags)


def wav_header(channels: int, rate: int, octets: int) -> bytes:
    """Of 16-bit PCM with so many octets of samples: RIFF, or RF64 (EBU Tech 3306) where 32 bits cannot count them."""
    frame = 2 * channels
    sound = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * frame, frame, 16)
    if 36 + octets <= _LARGEST_RIFF:
        return struct.pack("<4sI4s", b"RIFF", 36 + octets, b"WAVE") + sound + struct.pack("<4sI", b"data", octets)
    large = struct.pack("<4sIQQQI", b"ds64", 28, 72 + octets, octets, octets // frame, 0)
    start = struct.pack("<4sI4s", b"RF64", _LARGEST_RIFF, b"WAVE") + large
    return start + sound + struct.pack("<4sI", b"data", _LARGEST_RIFF)


def _write_wav(file: IO[bytes], sound: Iterable[Samples], channels: int, rate: int) -> None:
    """The length of the header depends on that of the sound only beyond 4 GiB: then all is moved up once."""
    file.write(wav_header(channels, rate, 0))
    octets = sum(file.write(np.ascontiguousarray(piece, "<i2").data.cast("B")) for piece in sound)
    header = wav_header(channels, rate, octets)
    if len(header) > 44:
        _move_up(file, 44, octets, len(header) - 44)
    file.seek(0)
    file.write(header)
    file.seek(0, 2)


def _move_up(file: IO[bytes], start: int, octets: int, by: int) -> None:
    step = 1 << 24
    for end in range(start + octets, start, -step):
        begin = max(start, end - step)
        file.seek(begin)
        block = file.read(end - begin)
        file.seek(begin + by)
        file.write(block)


def _encode(
    file: IO[bytes], encoder: Encoder, sound: Iterable[Samples], channels: int, rate: int, tags: Mapping[str, str]
) -> None:
    if channels > encoder.most_channels:
        sound, channels = (mixed(piece) for piece in sound), 1
    layout = _LAYOUTS[channels - 1]
    with av.open(file, "w", format=encoder.container) as container:
        container.metadata.update(tags)
        stream = _stream(container, encoder, layout, rate)
        stream.metadata.update(tags)  # Ogg has its tags in the stream
        for frame in _frames(sound, stream, layout, rate):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _stream(container: OutputContainer, encoder: Encoder, layout: str, rate: int) -> AudioStream:
    target = next((allowed for allowed in encoder.rates if allowed >= rate), max(encoder.rates, default=rate))
    stream = cast("AudioStream", container.add_stream(encoder.codec, rate=target if encoder.rates else rate))
    context: AudioCodecContext = stream.codec_context
    context.layout, context.format = layout, encoder.sample_format
    if encoder.bit_rate_per_channel:
        context.bit_rate = encoder.bit_rate_per_channel * AudioLayout(layout).nb_channels
    context.open()
    return stream


def _frames(sound: Iterable[Samples], stream: AudioStream, layout: str, rate: int) -> Iterator[AudioFrame]:
    """The pieces as frames of the size, rate and format that the encoder wants; the last may be shorter."""
    context = stream.codec_context
    shaper = AudioResampler(context.format, layout, context.sample_rate, frame_size=context.frame_size or None)
    position = 0
    for piece in sound:
        yield from shaper.resample(_frame(piece, layout, rate, position))
        position += len(piece)
    if position == 0:  # encoders make no file of nothing
        silence = np.zeros((rate // 50, AudioLayout(layout).nb_channels), np.int16)
        yield from shaper.resample(_frame(silence, layout, rate, 0))
    yield from shaper.resample(None)


def _frame(piece: Samples, layout: str, rate: int, position: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(piece).reshape(1, -1), format="s16", layout=layout)
    frame.sample_rate, frame.pts = rate, position
    return frame


# Reading


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound file being read."""

    channels: int
    rate: int
    """Hz."""
    pieces: Iterator[Samples]


def read(file: IO[bytes]) -> Sound:
    """A sound file of any of the FORMATS, decoded as its pieces are taken; `file` must stay open for so long.

    Raises:
        NotReady: it cannot be decoded.
    """
    try:
        container = av.open(cast("Any", file))
        stream = container.streams.audio[0]
    except (av.FFmpegError, IndexError) as error:
        raise NotReady(f"the stored sound cannot be decoded: {error}") from error
    channels, rate = stream.codec_context.channels, stream.codec_context.sample_rate

    def decoded() -> Iterator[Samples]:
        shaper = AudioResampler("s16", stream.codec_context.layout, rate, frame_size=PIECE_FRAMES)
        with container:
            for frame in container.decode(stream):
                yield from _pieces(shaper.resample(frame), channels)
            yield from _pieces(shaper.resample(None), channels)

    return Sound(channels, rate, decoded())


def _pieces(frames: Iterable[AudioFrame], channels: int) -> Iterator[Samples]:
    for frame in frames:
        yield cast("Samples", frame.to_ndarray()).reshape(-1, channels)
