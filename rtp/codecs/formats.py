"""Which encodings can be decoded, and by what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from rtp.codecs import amr, frames, g711, g726, opus
from rtp.codecs.codec import Codec, Decoded, Integers, Payloads
from rtp.codecs.library import Continuous, Framed


@dataclass(frozen=True, slots=True)
class Format:
    """An encoding with its parameters."""

    ticks: Callable[[Payloads], Integers]
    """How long each payload sounds, in ticks of the RTP clock."""
    decode: Callable[[Payloads], Decoded]


def find(codec: Codec) -> Format | None:
    """Return how a payload type is decoded; None: it cannot be."""
    make = _FORMATS.get(codec.name)
    return make(codec) if make else None


def _g711(codec: Codec) -> Format | None:
    if codec.channels != 1:
        return None
    return Format(lambda payloads: payloads.length.astype(np.int64), partial(g711.decode, codec))


def _l16(codec: Codec) -> Format:
    """RFC 3551 §4.5.11: samples in network order; the channels are mixed into one."""
    width = 2 * codec.channels
    return Format(lambda payloads: payloads.length // width, partial(_linear, codec))


def _linear(codec: Codec, payloads: Payloads) -> Decoded:
    width = 2 * codec.channels
    counts = payloads.length // width
    samples = payloads.joined(counts * width).view(">i2").astype(np.int16)
    if codec.channels > 1:
        samples = np.rint(samples.reshape(-1, codec.channels).mean(axis=1)).astype(np.int16)
    return Decoded(samples, counts, codec.clock_rate, damaged=int((payloads.length % width > 0).sum()))


def _opus(codec: Codec) -> Format | None:
    return Format(opus.ticks, partial(opus.decode, opus.rate(codec))) if opus.available() else None


def _framed(name: str, rate: int, split: frames.Split, samples: int) -> Callable[[Codec], Format | None]:
    decoder = Framed(name, rate, split, samples)
    return lambda codec: _of(decoder, codec)


def _continuous(name: str, rate: int, bits: int, options: Mapping[str, str]) -> Callable[[Codec], Format | None]:
    decoder = Continuous(name, rate, bits, options)
    return lambda codec: _of(decoder, codec)


def _of(decoder: Framed | Continuous | g726.Adaptive, codec: Codec) -> Format | None:
    return Format(decoder.ticks, decoder.decode) if codec.channels == 1 else None


def _ilbc(_: Codec) -> Format | None:
    """RFC 3952: 20 ms or 30 ms in a frame, which the payloads tell, whatever fmtp says."""
    return Format(
        lambda payloads: _ilbc_of(payloads).ticks(payloads), lambda payloads: _ilbc_of(payloads).decode(payloads)
    )


def _ilbc_of(payloads: Payloads) -> Framed:
    short, long = ((payloads.length % size == 0).sum() for size in (38, 50))
    if short > long:
        return Framed("ilbc", 8000, frames.every(38), 160, 15_200)
    return Framed("ilbc", 8000, frames.every(50), 240, 13_333)


def _amr(codec: Codec) -> Format | None:
    layout = amr.layout(codec)
    if layout is None:
        return None
    if codec.name == "AMR":
        return _of(Framed("amrnb", 8000, layout, 160), codec)
    return _of(Framed("amrwb", 16000, layout, 320, clock_rate=16000), codec)


def _g726(name: str, bits: int, *, low_first: bool) -> Callable[[Codec], Format | None]:
    """RFC 3551 §4.5.4: the first sample is in the lowest bits; in the order of ATM AAL2 it is in the highest."""
    if bits in g726.RATES:
        decoder = g726.Adaptive(g726.RATES[bits], low_first)
        return lambda codec: _of(decoder, codec)
    return _continuous(name, 8000, bits, {"bits_per_coded_sample": str(bits)})


_FORMATS: Mapping[str, Callable[[Codec], Format | None]] = {
    "PCMU": _g711,
    "PCMA": _g711,
    "L16": _l16,
    "OPUS": _opus,
    "G722": _continuous("g722", 16000, 4, {}),
    **{f"G726-{8 * bits}": _g726("g726le", bits, low_first=True) for bits in (2, 3, 4, 5)},
    **{f"AAL2-G726-{8 * bits}": _g726("g726", bits, low_first=False) for bits in (2, 3, 4, 5)},
    "GSM": _framed("gsm", 8000, frames.every(33), 160),
    "G729": _framed("g729", 8000, frames.g729, 80),
    "G723": _framed("g723_1", 8000, frames.g723, 240),
    "ILBC": _ilbc,
    "AMR": _amr,
    "AMR-WB": _amr,
}
