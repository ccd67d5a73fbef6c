"""Sound files: samples in pieces, to and from wav, flac, mp3 and opus.

WAV is written here, so that it is exactly the samples and nothing else; the rest is PyAV's (`coding`). Pieces are int16
arrays of shape (frames, channels), a few seconds each, so that a long recording needs little memory.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

PIECE_FRAMES: Final = 1 << 16
_LARGEST_RIFF: Final = 0xFFFFFFFF


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
        from srs.archive.coding import encode  # here: 60 ms that WAV does not need

        encode(file, ENCODERS[kind], sound, channels, rate, tags)


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
    from srs.archive.coding import decode

    return decode(file)
