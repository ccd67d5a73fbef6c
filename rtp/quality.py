"""How well a leg came and how it sounds: bursts of loss (RFC 3611), jitter (RFC 3550), MOS (ITU-T G.107), level."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtp.blocks import windows
from rtp.codecs import Samples

Integers = NDArray[np.int64]
G_MIN: Final = 16
"""Packets received in a row that end a burst (RFC 3611 §4.7.2)."""
IMPAIRMENTS: Final = {
    "PCMU": ((0, 0.0, 4.3),),
    "PCMA": ((0, 0.0, 4.3),),
    "G729": ((0, 11.0, 19.0),),
    "G723": ((6000, 15.0, 16.1), (0, 19.0, 16.1)),
    "AMR": ((12_000, 5.0, 10.0),),
}
"""From which payload bit rate on, Ie and Bpl of ITU-T G.113 (11/2007), Appendix I, tables I.1 and I.3: G.711 without
concealment, G.729A with VAD, G.723.1 at 6.3 kbit/s with VAD and at 5.3 (whose Bpl is taken as the same), GSM EFR,
which AMR at 12.2 kbit/s is. Others, lower modes of AMR and wideband among them, get no rating."""
_SPEECH_BIT_S: Final = 4000
"""Payload bit rate that descriptions of silence stay below."""
_R_0: Final = 93.2
"""R of a connection with the default values of ITU-T G.107, delay aside: a recorder does not know it."""
FRAME_S: Final = 0.02
SILENT_DBOV: Final = -55.0
"""A frame with less is silence: the noise of a quiet line."""
FULL: Final = 32124
"""The largest sample of G.711 µ-law."""
_AT_ONCE: Final = 1 << 12
"""Frames whose samples stay in the cache."""
_MEMORY, _STEP = 128, 8
_KERNEL: Final = (15 / 16) ** np.arange(_MEMORY)[::-1] / 16
"""What a difference in transit still counts for in the jitter, by its age."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Fit for JSON. Shares are 0 to 1."""

    loss: float
    """Share of packets lost."""
    bursts: int
    """Stretches in which losses are less than 16 packets apart."""
    burst_packets: float
    """In one, on average."""
    burst_density: float
    """Share lost within bursts."""
    gap_density: float
    """Share lost between them."""
    jitter_ms: float
    """Interarrival jitter, on average."""
    jitter_most_ms: float
    r: float | None
    """Transmission rating of the E-model, delay aside; None: there are no values for its codec."""
    mos: float | None
    """What listeners would give, estimated from R: 1 to 4.5."""
    level_dbov: float | None
    """Of what is not silent; None: all is."""
    silence: float
    """Share of the time that is silent."""
    clipped: float
    """Share of samples at full scale."""


@dataclass(frozen=True, slots=True)
class Bursts:
    """RFC 3611 §4.7.2."""

    lost: int
    expected: int
    count: int = 0
    packets: int = 0
    """In all of them, lost and received."""
    inside: int = 0
    """Lost in them."""
    runs: int = 0
    """Losses in a row."""


def bursts(missing: Integers) -> Bursts:
    """Tell bursts of loss from single losses.

    Args:
        missing: packets lost right before each received one, in order of play.
    """
    at = np.flatnonzero(missing)
    lost = int(missing.sum())
    if len(at) == 0:
        return Bursts(0, len(missing))
    first = np.flatnonzero(np.diff(at, prepend=at[0] - G_MIN) >= G_MIN)
    last = np.append(first[1:], len(at)) - 1
    inside = np.add.reduceat(missing[at], first)
    burst = inside > 1
    packets = inside + at[last] - at[first]
    return Bursts(
        lost,
        lost + len(missing),
        count=int(burst.sum()),
        packets=int(packets[burst].sum()),
        inside=int(inside[burst].sum()),
        runs=len(at),
    )


def bit_rate(octets: Integers, seconds: NDArray[np.float64]) -> float:
    """Return the payload bit rate of most packets of speech, bit/s; 0: there are none."""
    heard = seconds > 0
    rates = 8 * octets[heard] / seconds[heard]
    speech = rates[rates >= _SPEECH_BIT_S]
    return float(np.median(speech)) if len(speech) else 0.0


def has_modes(codec: str | None) -> bool:
    """Tell whether what a codec impairs depends on its bit rate."""
    return any(least > 0 for least, _, _ in IMPAIRMENTS.get(codec or "", ()))


def rating(codec: str | None, found: Bursts, bit_s: float = 0.0) -> float | None:
    """Return R of the E-model (ITU-T G.107 §7): 93.2 less what codec and loss impair; None: no values for the codec.

    Args:
        bit_s: payload bit rate, which tells the modes of a codec.
    """
    values = next(((ie, bpl) for least, ie, bpl in IMPAIRMENTS.get(codec or "", ()) if bit_s >= least), None)
    if values is None or found.expected == 0:
        return None
    impairment, robustness = values
    loss = 100 * found.lost / found.expected
    mean_run = found.lost / found.runs if found.runs else 1.0
    ratio = max(mean_run * (1 - loss / 100), 1.0)
    return _R_0 - impairment - (95 - impairment) * loss / (loss / ratio + robustness)


def mos(rating_: float) -> float:
    """Return the mean opinion score that an R means (ITU-T G.107 annex B)."""
    r = min(max(rating_, 0.0), 100.0)
    return max(1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6, 1.0)


def jitter_ms(transit_ns: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean and the largest interarrival jitter (RFC 3550 §6.4.1) in milliseconds, looked at now and then.

    Args:
        transit_ns: arrival less timestamp of each packet, in order of arrival.
    """
    differences = np.abs(np.diff(transit_ns)) / 1e6
    if len(differences) == 0:
        return 0.0, 0.0
    padded = np.concatenate([np.zeros(_MEMORY - 1), differences])
    course = windows(padded, _MEMORY)[(len(differences) - 1) % _STEP :: _STEP] @ _KERNEL
    return float(course.mean()), float(course.max())


@dataclass(frozen=True, slots=True)
class Loudness:
    level_dbov: float | None
    silence: float
    clipped: float


def loudness(samples: Samples, rate: int) -> Loudness:
    """Return level, silence and clipping; 0 dBov is the power of a square wave at full scale (ITU-T G.100.1)."""
    size = max(round(FRAME_S * rate), 1)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    if len(frames) == 0:
        return Loudness(None, 1.0, 0.0)
    power, clipped = np.empty(len(frames), np.float64), 0
    for first in range(0, len(frames), _AT_ONCE):
        heard = frames[first : first + _AT_ONCE]
        part = heard.astype(np.float32)
        power[first : first + _AT_ONCE] = np.vecdot(part, part)
        loud = power[first : first + _AT_ONCE] > 0.99 * FULL**2  # a frame with less has no sample at full scale
        if loud.any():
            heard = heard if loud.all() else heard[loud]
            clipped += int(np.count_nonzero(np.abs(heard).view(np.uint16) >= FULL))  # that of -32768 has no int16
    power /= size
    active = power[power >= 10 ** (SILENT_DBOV / 10) * 32768.0**2]
    level = 10 * np.log10(active.mean() / 32768.0**2) if len(active) else None
    return Loudness(level if level is None else float(level), 1 - len(active) / len(frames), clipped / frames.size)


def quality(
    codec: str | None,
    missing: Integers,
    transit_ns: NDArray[np.float64],
    samples: Samples,
    rate: int,
    bit_s: float = 0.0,
) -> Quality:
    """Return what there is to say of a leg; see the functions above for the arguments."""
    found, sound = bursts(missing), loudness(samples, rate)
    mean, most = jitter_ms(transit_ns)
    r = rating(codec, found, bit_s)
    between = found.expected - found.packets
    return Quality(
        loss=_share(found.lost, found.expected),
        bursts=found.count,
        burst_packets=round(found.packets / found.count, 1) if found.count else 0.0,
        burst_density=_share(found.inside, found.packets),
        gap_density=_share(found.lost - found.inside, between),
        jitter_ms=round(mean, 2),
        jitter_most_ms=round(most, 2),
        r=None if r is None else round(r, 1),
        mos=None if r is None else round(mos(r), 2),
        level_dbov=None if sound.level_dbov is None else round(sound.level_dbov, 1),
        silence=round(sound.silence, 4),
        clipped=round(sound.clipped, 6),
    )


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
