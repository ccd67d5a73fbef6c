"""Payloads decoded by FFmpeg, through PyAV."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import lcm
from typing import TYPE_CHECKING, cast

import numpy as np

from rtp.codecs.codec import Decoded, Integers, Payloads, Samples
from rtp.codecs.frames import Frames, Split

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext
    from av.audio.frame import AudioFrame

_RTP_RATE = 8000
LONGEST_S = 0.2
"""Of any packet (RFC 3551 §4.2)."""
_AT_ONCE = 1 << 15
"""Codes that are decoded in one go."""


@dataclass(frozen=True, slots=True)
class Continuous:
    """A codec whose codes stand side by side without frames."""

    name: str
    rate: int
    """Hz."""
    bits: int
    """Of a sample."""
    options: Mapping[str, str] = field(default_factory=dict)

    def ticks(self, payloads: Payloads) -> Integers:
        return self._counts(payloads) * _RTP_RATE // self.rate

    def decode(self, payloads: Payloads) -> Decoded:
        counts = self._counts(payloads)
        octets = payloads.joined(counts * self.bits // 8)
        samples = np.zeros(int(counts.sum()), np.int16)
        context, step = _open(self.name, self.rate, options=self.options), self.bits * _AT_ONCE // 8
        for piece, first in enumerate(range(0, len(octets), step)):
            found = _decode(context, octets[first : first + step].tobytes())
            samples[piece * _AT_ONCE : piece * _AT_ONCE + len(found)] = found
        return Decoded(samples, counts, self.rate, damaged=int((counts * self.bits != payloads.length * 8).sum()))

    def _counts(self, payloads: Payloads) -> Integers:
        """Return the samples of whole groups of codes: those that fill octets."""
        group = lcm(self.bits, 8)
        return payloads.length * 8 // group * (group // self.bits)


@dataclass(frozen=True, slots=True)
class Framed:
    """A codec whose payloads are frames that all sound equally long."""

    name: str
    rate: int
    """Hz."""
    split: Split
    samples: int
    """Of a frame."""
    bit_rate: int = 0
    clock_rate: int = _RTP_RATE
    """Hz, of the RTP timestamp."""

    def ticks(self, payloads: Payloads) -> Integers:
        found = [len(self._frames(payloads.octets(index)).frames) for index in range(len(payloads))]
        return np.array(found, np.int64) * self.samples * self.clock_rate // self.rate

    def decode(self, payloads: Payloads) -> Decoded:
        context = _open(self.name, self.rate, self.bit_rate)
        counts, damaged = np.zeros(len(payloads), np.int64), 0
        samples: list[Samples] = []
        silence = np.zeros(self.samples, np.int16)
        for index in range(len(payloads)):
            payload = self._frames(payloads.octets(index))
            sounds = [_decode(context, frame) if frame else silence for frame in payload.frames]
            good = [len(sound) == self.samples for sound in sounds]
            samples += [sound if whole else silence for sound, whole in zip(sounds, good, strict=True)]
            counts[index] = len(sounds) * self.samples
            damaged += not (payload.whole and all(good))
        return Decoded(np.concatenate([silence[:0], *samples]), counts, self.rate, damaged=damaged)

    def _frames(self, payload: bytes) -> Frames:
        """Return the frames of a payload; none where they are more than any packet has: it is something else."""
        found = self.split(payload)
        return found if len(found.frames) * self.samples <= LONGEST_S * self.rate else Frames([], whole=False)


def _open(name: str, rate: int, bit_rate: int = 0, options: Mapping[str, str] | None = None) -> "AudioCodecContext":
    import av  # here: 60 ms that calls of G.711 do not need

    context = cast("AudioCodecContext", av.CodecContext.create(name, "r"))
    context.layout, context.sample_rate = "mono", rate
    if bit_rate:
        context.bit_rate = bit_rate
    context.options = dict(options or {})
    return context


def _decode(context: "AudioCodecContext", octets: bytes) -> Samples:
    """Return the samples of some frames; none where the decoder does not take them."""
    import av

    try:
        found = [_linear(frame) for frame in context.decode(av.Packet(octets))]
    except av.FFmpegError:
        found = []
    return np.concatenate(found) if found else np.empty(0, np.int16)


def _linear(frame: "AudioFrame") -> Samples:
    samples = frame.to_ndarray().ravel()
    if samples.dtype == np.int16:
        return cast("Samples", samples)
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
