"""G.711, exactly as ITU-T G.711 and the tables of the ITU-T G.191 software tools say.

16-bit linear samples: µ-law from -32124 to 32124, A-law from -32256 to 32256.
"""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rtp.codecs.codec import Codec, Decoded, Octets, Payloads, Samples


def decode(codec: Codec, payloads: Payloads) -> Decoded:
    """Decode "PCMU" or "PCMA" of one channel."""
    counts = payloads.length.astype(np.int64)
    pairs, samples, end = _TABLES[codec.name](), np.empty(int(counts.sum()), np.int16), 0
    for octets in payloads.blocks():
        begin, end = end, end + len(octets)
        _look_up(pairs, octets, samples[begin:end])
    return Decoded(samples, counts, codec.clock_rate)


def encode(name: str, samples: Samples) -> Octets:
    """Encode 16-bit linear samples as "PCMU" or "PCMA", as `ulaw_compress` and `alaw_compress` of ITU-T G.191 do.

    KeyError: another encoding.
    """
    return _encoder(name)[samples.view(np.uint16)]


def mu_law() -> Samples:
    """Return the sample for each of the 256 µ-law codes (ITU-T G.711 table 2, complemented codes on the wire)."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4) & 7, (code & 15).astype(np.int32)
    magnitude = (((mantissa << 3) + 132) << exponent) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def a_law() -> Samples:
    """Return the sample for each of the 256 A-law codes (ITU-T G.711 table 1, even bits inverted on the wire)."""
    code = np.arange(256, dtype=np.uint8) ^ np.uint8(0x55)
    exponent, mantissa = (code >> 4) & 7, (code & 15).astype(np.int32)
    magnitude = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 264) << np.maximum(exponent, 1) - 1)
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _pairs(table: Samples) -> NDArray[np.uint32]:
    """Return the two samples for each pair of codes as one word: half as many look-ups, four times as fast."""
    pairs = np.empty((256, 256, 2), np.int16)  # by second code, first code
    pairs[..., 0], pairs[..., 1] = table[np.newaxis, :], table[:, np.newaxis]
    return pairs.view(np.uint32).ravel()


@cache
def _mu_law_pairs() -> NDArray[np.uint32]:
    return _pairs(mu_law())


@cache
def _a_law_pairs() -> NDArray[np.uint32]:
    return _pairs(a_law())


_TABLES: Mapping[str, Callable[[], NDArray[np.uint32]]] = {"PCMU": _mu_law_pairs, "PCMA": _a_law_pairs}


def _look_up(pairs: NDArray[np.uint32], octets: Octets, samples: Samples) -> None:
    even = octets.size & ~1
    codes, words = octets[:even].view("<u2"), samples[:even].view(np.uint32)
    np.take(pairs, codes, out=words, mode="wrap")  # all are in range: the mode that is not checked
    if even < octets.size:
        samples[-1] = pairs[octets[-1:].astype(np.uint16)].view(np.int16)[0]


@cache
def _encoder(name: str) -> Octets:
    """Return the code for each 16-bit sample, by its two's complement."""
    sample = np.arange(1 << 16, dtype=np.uint16).view(np.int16).astype(np.int32)
    return {"PCMU": _mu_law_codes, "PCMA": _a_law_codes}[name](np.where(sample < 0, ~sample, sample), sample >= 0)


def _mu_law_codes(magnitude: NDArray[np.int32], positive: NDArray[np.bool_]) -> Octets:
    biased: NDArray[np.int32] = np.minimum((magnitude >> 2) + 33, 0x1FFF)
    segment = _bit_length(biased >> 5)  # 1 to 8
    codes = ((8 - segment) << 4) | (15 - ((biased >> segment) & 15))
    return np.where(positive, codes | 0x80, codes).astype(np.uint8)


def _a_law_codes(magnitude: NDArray[np.int32], positive: NDArray[np.bool_]) -> Octets:
    coarse = magnitude >> 4
    segment = np.maximum(_bit_length(coarse >> 4), 1)  # 1 to 7
    codes = np.where(coarse < 16, coarse, ((coarse >> (segment - 1)) - 16) + (segment << 4))
    return (np.where(positive, codes | 0x80, codes) ^ 0x55).astype(np.uint8)


def _bit_length(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    exponent: NDArray[np.int32] = np.frexp(numbers)[1]
    return exponent
