"""Lost packets sounded over: by their decoder if it can, else in the manner of ITU-T G.711 Appendix I.

There, the last period of the pitch is repeated, a fifth softer every 10 ms after the first. Nothing is heard after
60 ms. Samples that came are not touched.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtp.codecs import MOST_CONCEALED_S, Decoded, Samples
from rtp.mix import Placed

Integers = NDArray[np.int64]
_FULL_S: Final = 0.01
_HIGHEST_HZ, _LOWEST_HZ = 400, 66
_TEMPLATE_S: Final = 0.02
_HISTORY_S: Final = 0.05


def holes(placed: Placed, lost: NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """Return the packets before losses and how many samples to fill behind each.

    Args:
        lost: whether something was lost right before each packet.
    """
    ends = placed.positions + placed.decoded.counts
    room = np.minimum(placed.positions[1:] - ends[:-1], round(MOST_CONCEALED_S * placed.decoded.rate))
    before = np.flatnonzero(lost[1:] & (room > 0))
    return before, room[before]


def fill(placed: Placed, before: Integers, room: Integers) -> Placed:
    """Return what is heard instead of the losses behind the packets `before`, `room[i]` samples each."""
    ends = np.cumsum(placed.decoded.counts)[before]
    columns = (before.tolist(), ends.tolist(), room.tolist())
    parts = [_filling(placed.decoded, *hole) for hole in zip(*columns, strict=True)]
    decoded = Decoded(np.concatenate([np.empty(0, np.int16), *parts]), room, placed.decoded.rate)
    return Placed(decoded, (placed.positions + placed.decoded.counts)[before])


def _filling(decoded: Decoded, before: int, end: int, count: int) -> Samples:
    """Return `count` samples behind the packet `before`, whose own end at `end`."""
    own = decoded.concealed.get(before + 1)
    if own is None:
        return extend(decoded.samples[max(end - round(_HISTORY_S * decoded.rate), 0) : end], count, decoded.rate)
    return np.pad(own[:count], (0, max(count - len(own), 0)), "edge")  # a sample or two, of a skewed clock


def extend(history: Samples, count: int, rate: int) -> Samples:
    """Return `count` samples that go on where `history` ends."""
    heard = history.astype(np.float64)
    lag = _pitch(heard, rate)
    if lag == 0:
        return np.zeros(count, np.int16)
    cycle, seam = heard[-lag:].copy(), lag // 4
    if seam and len(heard) >= lag + seam:  # so that its end leads to its beginning
        ramp = np.arange(1, seam + 1) / (seam + 1)
        cycle[-seam:] = cycle[-seam:] * (1 - ramp) + heard[-lag - seam : -lag] * ramp
    gone_s = np.arange(count) / rate
    loudness = np.clip(1 - (gone_s - _FULL_S) / (MOST_CONCEALED_S - _FULL_S), 0, 1)
    return np.rint(np.resize(cycle, count) * loudness).astype(np.int16)


def _pitch(heard: NDArray[np.float64], rate: int) -> int:
    """Return the period, in samples, that the end of a sound repeats best; 0: it is silent or too short."""
    template = round(_TEMPLATE_S * rate)
    lags = np.arange(rate // _HIGHEST_HZ, min(rate // _LOWEST_HZ, len(heard) - template) + 1)
    if len(lags) == 0 or not heard.any():
        return 0
    end = heard[-template:]
    earlier = np.stack([heard[len(heard) - template - lag : len(heard) - lag] for lag in lags.tolist()])
    energy = np.sqrt((earlier**2).sum(axis=1))
    return int(lags[np.argmax(earlier @ end / np.maximum(energy, 1.0))])
