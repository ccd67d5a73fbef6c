"""What a payload type means, and its octets as samples.

G.711 is decoded and encoded exactly as ITU-T G.711 and the tables of the ITU-T G.191 software tools say: 16-bit linear
samples, µ-law from -32124 to 32124, A-law from -32256 to 32256.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rtp.blocks import copy

Octets = NDArray[np.uint8]
Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type of an m-line: what rtpmap and fmtp say of it (RFC 8866 §6.6, RFC 3551)."""

    payload_type: int
    name: str
    """Encoding name as IANA spells it, in upper case for comparison: "PCMU", "OPUS", "TELEPHONE-EVENT"."""
    clock_rate: int
    """Hz, of the RTP timestamp."""
    channels: int = 1
    fmtp: str = ""
    """The parameters after the payload type."""


def _static(*rows: tuple[int, str, int] | tuple[int, str, int, int]) -> dict[int, Codec]:
    return {row[0]: Codec(*row) for row in rows}


STATIC: dict[int, Codec] = _static(
    (0, "PCMU", 8000),
    (2, "G726-32", 8000),  # reserved by RFC 3551, but SBCs still send it so
    (3, "GSM", 8000),
    (4, "G723", 8000),
    (5, "DVI4", 8000),
    (6, "DVI4", 16000),
    (7, "LPC", 8000),
    (8, "PCMA", 8000),
    (9, "G722", 8000),
    (10, "L16", 44100, 2),
    (11, "L16", 44100),
    (12, "QCELP", 8000),
    (13, "CN", 8000),
    (14, "MPA", 90000),
    (15, "G728", 8000),
    (16, "DVI4", 11025),
    (17, "DVI4", 22050),
    (18, "G729", 8000),
    (19, "CN", 8000),  # reserved by RFC 3551; what old Cisco gateways send
    (25, "CELB", 90000),
    (26, "JPEG", 90000),
    (28, "NV", 90000),
    (31, "H261", 90000),
    (32, "MPV", 90000),
    (33, "MP2T", 90000),
    (34, "H263", 90000),
)
"""The static payload types of RFC 3551 §6 that need no rtpmap, and two that are used as if they were."""

NOT_AUDIO = frozenset({"TELEPHONE-EVENT", "CN"})
"""Encodings that stand beside the audio in an m-line: digits (RFC 4733) and comfort noise (RFC 3389)."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The samples of some packets, end to end."""

    samples: Samples
    counts: NDArray[np.int64]
    """Samples of each packet, in the order of the packets."""
    rate: int
    """Hz."""


def decodable(codec: Codec) -> bool:
    """Tell whether there is a decoder."""
    return codec.name in _TABLES and codec.channels == 1


def decode(codec: Codec, data: Octets, start: NDArray[np.int64], length: NDArray[np.int64]) -> Decoded | None:
    """Decode packets of one stream, given in order of play by where their payloads lie in `data`.

    None: there is no decoder for this encoding, or not for this clock rate and number of channels.
    """
    if not decodable(codec):
        return None
    counts = length.astype(np.int64)
    octets = np.empty(int(counts.sum()), np.uint8)
    copy(data, start, octets, np.cumsum(counts) - counts, counts)
    return Decoded(_look_up(_TABLES[codec.name](), octets), counts, codec.clock_rate)


def ticks(codec: Codec, length: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how long payloads of `length` octets sound, in ticks of the RTP clock; 0: the length does not tell."""
    return length.astype(np.int64) * int(decodable(codec))


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


_AT_ONCE = 8192
"""Look-ups whose indices stay in the cache."""


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


def _look_up(pairs: NDArray[np.uint32], octets: Octets) -> Samples:
    even = octets.size & ~1
    samples = np.empty(octets.size, np.int16)
    codes, words = octets[:even].view("<u2"), samples[:even].view(np.uint32)
    for first in range(0, len(codes), _AT_ONCE):
        piece = slice(first, first + _AT_ONCE)
        np.take(pairs, codes[piece], out=words[piece], mode="wrap")  # all are in range: the mode that is not checked
    if even < octets.size:
        samples[-1] = pairs[octets[-1:].astype(np.uint16)].view(np.int16)[0]
    return samples


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
