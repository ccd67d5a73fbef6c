"""ITU-T G.726 at 24 and 40 kbit/s, sample by sample in the integers of the Recommendation.

FFmpeg's decoder departs from it at these rates: at 24 kbit/s by 3 dB, at 40, where it takes the leak factor of the
others, until nothing is left of the sound. This one takes 11 µs a sample, ten times as much.

Names of blocks and variables are those of the Recommendation (ADDC, FMULT, LIMC, …), §3 and §4.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from rtp.codecs.codec import Decoded, Integers, Payloads

_Float = tuple[bool, int, int]
"""Sign, exponent, mantissa of six bits."""
_NOTHING: Final[_Float] = (False, 0, 32)
_LEAST_YU: Final = 544
_MOST_YU: Final = 5120
_AP_FAST: Final = 256


@dataclass(frozen=True, slots=True)
class Rate:
    """Tables of a rate, by the magnitude of a code."""

    bits: int
    dqln: tuple[int, ...]
    """Normalised quantised difference, log2 in 1/128."""
    w: tuple[int, ...]
    """Scale factor multipliers, in 1/16."""
    f: tuple[int, ...]
    """For the speed of adaptation."""
    leak: int
    """Of the sixth-order predictor: a power of two."""


RATES: Final = {
    3: Rate(3, (-2048, 135, 273, 373), (-4, 30, 137, 582), (0, 1, 2, 7), 8),
    5: Rate(
        5,
        (-2048, -66, 28, 104, 169, 224, 274, 318, 358, 395, 429, 459, 488, 514, 539, 566),
        (14, 14, 24, 39, 40, 41, 58, 100, 141, 179, 219, 280, 358, 440, 529, 696),
        (0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6),
        9,
    ),
}


@dataclass(frozen=True, slots=True)
class Adaptive:
    """A rate in one of the two orders of codes within octets."""

    rate: Rate
    low_first: bool
    """The first code in the lowest bits (RFC 3551 §4.5.4), or else in the highest (ATM AAL2)."""

    def ticks(self, payloads: Payloads) -> Integers:
        return payloads.length // self.rate.bits * 8

    def decode(self, payloads: Payloads) -> Decoded:
        counts = self.ticks(payloads)
        codes = self._codes(payloads.joined(counts * self.rate.bits // 8))
        damaged = int((payloads.length % self.rate.bits > 0).sum())
        return Decoded(_Decoder(self.rate).decode(codes.tolist()), counts, 8000, damaged=damaged)

    def _codes(self, octets: NDArray[np.uint8]) -> NDArray[np.uint8]:
        order: Literal["little", "big"] = "little" if self.low_first else "big"
        bits = np.unpackbits(octets, bitorder=order).reshape(-1, self.rate.bits)
        codes = np.packbits(bits, axis=1, bitorder=order).ravel()
        return codes if self.low_first else codes >> np.uint8(8 - self.rate.bits)


@dataclass(slots=True)
class _Decoder:
    """The state of the adaptive predictor and of the adaptive quantiser."""

    rate: Rate
    yl: int = 34816
    yu: int = _LEAST_YU
    dms: int = 0
    dml: int = 0
    ap: int = 0
    td: bool = False
    a1: int = 0
    a2: int = 0
    b: list[int] = field(default_factory=lambda: [0] * 6)
    dq: list[_Float] = field(default_factory=lambda: [_NOTHING] * 6)
    sr: tuple[_Float, _Float] = (_NOTHING, _NOTHING)
    pk: tuple[bool, bool] = (False, False)

    def decode(self, codes: Iterable[int]) -> NDArray[np.int16]:
        return np.clip(np.array([self._sample(code) for code in codes], np.int64) * 4, -32768, 32767).astype(np.int16)

    def _sample(self, code: int) -> int:
        """Return the reconstructed signal, 14 bits."""
        top = 1 << self.rate.bits - 1
        negative = code >= top
        magnitude = (code ^ (2 * top - 1)) if negative else code
        sezi = sum(map(_fmult, self.b, self.dq))
        sez = sezi >> 1
        se = (sezi + _fmult(self.a2, self.sr[1]) + _fmult(self.a1, self.sr[0])) >> 1
        y = self._scale()
        dq = _antilog(self.rate.dqln[magnitude] + (y >> 2))
        sr = se - dq if negative else se + dq
        trigger = self._is_transition(dq)
        self._adapt_scale(y, self.rate.w[magnitude])
        self._adapt_predictor(dq, sr - se + sez, trigger=trigger, negative=negative)
        self.dq = [_float(dq, negative=negative), *self.dq[:5]]
        self.sr = (_float(min(abs(sr), 0x7FFF), negative=sr < 0), self.sr[0])
        self._adapt_speed(y, self.rate.f[magnitude] << 9, trigger=trigger)
        return sr

    def _scale(self) -> int:
        """MIX: the scale factor, between its slow and its fast part."""
        if self.ap >= _AP_FAST:
            return self.yu
        y = self.yl >> 6
        product = (self.yu - y) * (self.ap >> 2)
        return y + (product >> 6 if product >= 0 else -(-product >> 6))

    def _is_transition(self, dq: int) -> bool:
        """TRANS: whether a partial band signal, such as a modem's, has just ended."""
        whole, part = self.yl >> 15, self.yl >> 10 & 31
        threshold = 31 << 10 if whole > 9 else (32 + part) << whole
        return self.td and dq > (threshold + (threshold >> 1)) >> 1

    def _adapt_scale(self, y: int, w: int) -> None:
        """FILTD, LIMB, FILTE."""
        self.yu = min(max(y + ((w * 32 - y) >> 5), _LEAST_YU), _MOST_YU)
        self.yl += self.yu + (-self.yl >> 6)

    def _adapt_predictor(self, dq: int, dqsez: int, *, trigger: bool, negative: bool) -> None:
        sign = dqsez < 0
        if trigger:
            self.a1, self.a2, self.b = 0, 0, [0] * 6
        else:
            self._adapt_poles(dqsez, sign)
            step = 128 if dq else 0
            self.b = [
                b - (b >> self.rate.leak) + (step if negative == past[0] else -step)
                for b, past in zip(self.b, self.dq, strict=True)
            ]
        self.pk = (sign, self.pk[0])

    def _adapt_poles(self, dqsez: int, sign: bool) -> None:
        """UPA2, LIMC, UPA1, LIMD."""
        differs = sign != self.pk[0]
        a2 = self.a2 - (self.a2 >> 7)
        if dqsez:
            fa1 = self.a1 if differs else -self.a1
            a2 += -0x100 if fa1 < -8191 else 0xFF if fa1 > 8191 else fa1 >> 5
            a2 += -0x80 if sign != self.pk[1] else 0x80
        self.a2 = min(max(a2, -12288), 12288)
        a1 = self.a1 - (self.a1 >> 8)
        if dqsez:
            a1 += -192 if differs else 192
        limit = 15360 - self.a2
        self.a1 = min(max(a1, -limit), limit)

    def _adapt_speed(self, y: int, f: int, *, trigger: bool) -> None:
        """TONE, FILTA, FILTB, SUBTC, FILTC, TRIGA."""
        self.td = not trigger and self.a2 < -11776
        self.dms += (f - self.dms) >> 5
        self.dml += (4 * f - self.dml) >> 7
        if trigger:
            self.ap = _AP_FAST
        else:
            fast = y < 1536 or self.td or abs(4 * self.dms - self.dml) >= self.dml >> 3
            self.ap += ((0x200 if fast else 0) - self.ap) >> 4


def _fmult(an: int, past: _Float) -> int:
    """FMULT: a coefficient times a past value, both in floating point of six bits."""
    sign, exponent, mantissa = past
    magnitude = an >> 2 if an >= 0 else -(an >> 2) & 0x1FFF
    own = magnitude.bit_length() - 6
    coefficient = 32 if magnitude == 0 else magnitude >> own if own >= 0 else magnitude << -own
    shift = own + exponent - 13
    product = (coefficient * mantissa + 48) >> 4
    product = (product << shift) & 0x7FFF if shift >= 0 else product >> -shift
    return -product if (an < 0) != sign else product


def _antilog(dql: int) -> int:
    """ADDA, ANTILOG: the magnitude of the quantised difference."""
    if dql < 0:
        return 0
    return ((128 + (dql & 127)) << 7) >> (14 - (dql >> 7 & 15))


def _float(magnitude: int, *, negative: bool) -> _Float:
    """FLOATA, FLOATB."""
    exponent = magnitude.bit_length()
    return negative, exponent, (magnitude << 6) >> exponent if magnitude else 32
