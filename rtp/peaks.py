"""The outline of a sound: the lowest and highest sample of each short stretch, for a waveform on a page.

As octets, little-endian: "PEAK", version (u2, 1), channels (u2), Hz (u4), samples a bucket (u4), samples in all (u8);
then for each bucket, for each channel, lowest and highest as int8: a sample divided by 256, rounded away from 0, so
that only silence is 0.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

BUCKET_S: Final = 0.05
HEADER: Final = struct.Struct("<4sHHIIQ")
_MAGIC: Final = b"PEAK"
_VERSION: Final = 1


class PeaksError(ValueError):
    """Octets that are no peaks; the message says what is wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """Lowest and highest of every bucket."""

    values: NDArray[np.int8]
    """(buckets, channels, 2)."""
    rate: int
    """Hz, of the sound."""
    bucket: int
    """Samples a bucket; the last one may be shorter."""
    frames: int
    """Samples of a channel in all."""

    @property
    def bucket_s(self) -> float:
        """Seconds a bucket."""
        return self.bucket / self.rate

    def to_bytes(self) -> bytes:
        channels = self.values.shape[1]
        header = HEADER.pack(_MAGIC, _VERSION, channels, self.rate, self.bucket, self.frames)
        return header + self.values.tobytes()


def of(channels: Sequence[NDArray[np.int16]], rate: int) -> Peaks:
    """Outline a sound: channels that are equally long."""
    bucket = max(round(BUCKET_S * rate), 1)
    columns = [_outline(np.ascontiguousarray(channel), bucket) for channel in channels]
    return Peaks(np.stack(columns, axis=1), rate, bucket, len(channels[0]))


def _outline(samples: NDArray[np.int16], bucket: int) -> NDArray[np.int8]:
    """Return lowest and highest of each bucket of one channel, (buckets, 2)."""
    whole = len(samples) // bucket * bucket
    parts = [samples[:whole].reshape(-1, bucket)]
    if whole < len(samples):
        parts.append(samples[np.newaxis, whole:])
    extremes = [np.stack([part.min(axis=1), part.max(axis=1)], axis=1) for part in parts]
    return _coarse(np.concatenate(extremes))


def _coarse(values: NDArray[np.int16]) -> NDArray[np.int8]:
    """Return 8 of 16 bits, rounded away from 0."""
    wide = values.astype(np.int32)
    return np.clip(np.where(wide < 0, wide // 256, -(-wide // 256)), -128, 127).astype(np.int8)


def parse(data: bytes) -> Peaks:
    """Read what `to_bytes` wrote.

    Raises:
        PeaksError: it is something else, or cut off.
    """
    if len(data) < HEADER.size:
        raise PeaksError(f"{len(data)} octets, the header alone has {HEADER.size}")
    magic, version, channels, rate, bucket, frames = HEADER.unpack_from(data)
    if (magic, version) != (_MAGIC, _VERSION) or min(channels, rate, bucket) == 0:
        raise PeaksError(f"they begin with {data[: HEADER.size].hex()}")
    buckets = -(-frames // bucket)
    told, there = 2 * channels * buckets, len(data) - HEADER.size
    if told != there:
        raise PeaksError(f"{there} octets of values where {told} belong")
    values = np.frombuffer(data, np.int8, offset=HEADER.size).reshape(buckets, channels, 2)
    return Peaks(values, rate, bucket, frames)
