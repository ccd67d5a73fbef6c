"""An announcement found in a leg: normalised cross-correlation by FFT, piece by piece, and a vote of the pieces.

A codec, a gain, lost packets and a drifting clock leave most of a second of speech where it was and like itself. So the
announcement is cut into pieces of about a second; each is looked for apart, in the band that every telephone codec
carries, and it is there where most of its pieces agree on one beginning. Another announcement of the same voice has
single words alike, hardly most of the pieces at their distances.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE_OF_FILES: Final = 8000
"""Hz of an announcement's file as it is read."""
MOST: Final = 50
"""Times that an announcement is listed in one leg."""
RATE: Final = 4000
"""Hz that is compared at."""
BAND: Final = (250.0, 1800.0)
"""Hz: what is left by a telephone codec at its worst, most of the power of speech."""
BLOCK_S: Final = 8
CELL: Final = RATE // 200
"""Samples of a cell, 5 ms: as fine as a beginning is told."""
SLACK: Final = 3
"""Cells that a piece may be off the common beginning: jitter, a clock that drifts."""
LIKE: Final = 0.45
"""Likeness of a piece that is taken for it."""
ENOUGH: Final = 0.5
"""Share of the pieces that must be there: what is missing was missed by who came late, or lost."""
SHORTEST_S: Final = 1.5
"""No announcement may be shorter: it could be anything."""
_WEAKEST: Final = 1e-3
"""Share of an announcement's mean power below which a piece of it is a pause."""
_FLOOR: Final = 8.0
"""Amplitude (of 32,768) of what is taken for silence."""

Samples = NDArray[np.int16]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is looked for."""

    seconds: float
    pieces: tuple[tuple[int, NDArray[np.complex64]], ...]
    """Where a piece begins, in samples at RATE; its spectrum over a block, of a piece of power 1."""
    length: int
    """Samples of a piece at RATE."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where it was heard best."""

    second: float
    """Where it begins, or would: negative if its beginning is before the recording's."""
    score: float
    """Share of its pieces that are there, 0 to 1."""

    @property
    def heard(self) -> bool:
        return self.score >= ENOUGH


def announcement(samples: Samples, rate: int) -> Announcement:
    """Prepare an announcement.

    Args:
        samples: int16, one channel.
        rate: Hz.

    Raises:
        ValueError: it is too short to be told from others, or silent.
    """
    seconds = len(samples) / rate
    if seconds < SHORTEST_S:
        raise ValueError(f"{seconds:.1f} s is too short to be recognised: at least {SHORTEST_S} s are needed")
    sound = np.concatenate([block for block, _ in _blocks(samples, rate, BLOCK_S)])[: round(seconds * RATE)]
    length = min(RATE, len(sound) // 4)
    cut = sound[: len(sound) // length * length].reshape(-1, length)
    power = (cut.astype(np.float64) ** 2).mean(axis=1)
    wanted = np.flatnonzero(power > _WEAKEST * max(power.mean(), _FLOOR**2))
    if not len(wanted):
        raise ValueError("there is no sound in it")
    size = BLOCK_S * RATE
    spectra = [np.fft.rfft(cut[at] / np.linalg.norm(cut[at]), size).astype(np.complex64) for at in wanted]
    return Announcement(seconds, tuple(zip((wanted * length).tolist(), spectra, strict=True)), length)


def occurrences(wanted: Announcement, samples: Samples, rate: int) -> list[Found]:
    """Where an announcement is heard in a leg, best first; if nowhere, the one place where it is most likely.

    Args:
        samples: int16, one channel, of any length.
        rate: Hz.
    """
    likeness = _likeness(wanted, samples, rate)
    votes = _votes(wanted, likeness >= LIKE)
    ranked = _votes(wanted, np.where(likeness >= LIKE, 1 + likeness / 100, 0))  # of equal votes the more alike
    apart, before = round(wanted.seconds / 2 * RATE / CELL), _before(wanted)
    found: list[Found] = []
    while not found or (found[-1].heard and len(found) < MOST):
        best = int(ranked.argmax())
        found.append(Found(round((best - before) * CELL / RATE, 3), round(float(votes[best]), 4)))
        around = slice(max(best - apart, 0), best + apart)
        ranked[around] = votes[around] = 0
    return found[: sum(each.heard for each in found) or 1]


def search(wanted: Announcement, samples: Samples, rate: int) -> Found:
    """The place where an announcement is most likely in a leg; `heard` tells whether it is there."""
    return occurrences(wanted, samples, rate)[0]


def _likeness(wanted: Announcement, samples: Samples, rate: int) -> Floats:
    """Of each piece at each cell of the leg, the greatest within the slack: shape (pieces, cells)."""
    parts = [_block_likeness(wanted, block, keep) for block, keep in _blocks(samples, rate, BLOCK_S - 1)]
    cells = np.concatenate(parts, axis=1) if parts else np.zeros((len(wanted.pieces), 1), np.float32)
    padded = np.pad(cells, ((0, 0), (SLACK, SLACK)))
    widest: Floats = np.lib.stride_tricks.sliding_window_view(padded, 2 * SLACK + 1, axis=1).max(axis=2)
    return widest


def _block_likeness(wanted: Announcement, block: Floats, keep: int) -> Floats:
    spectrum = np.fft.rfft(block)
    energy = np.concatenate([[0.0], np.cumsum(block.astype(np.float64) ** 2)])
    window = energy[wanted.length : wanted.length + keep]
    window = np.pad(window, (0, keep - len(window)), mode="edge") - energy[:keep]
    scale = 1 / np.sqrt(np.maximum(window, wanted.length * _FLOOR**2))
    found = [
        (np.fft.irfft(spectrum * np.conj(piece), len(block))[:keep] * scale).reshape(-1, CELL).max(axis=1)
        for _, piece in wanted.pieces
    ]
    return np.array(found, np.float32)


def _votes(wanted: Announcement, ballots: NDArray[np.floating] | NDArray[np.bool_]) -> Floats:
    """The mean of the pieces' ballots for every cell in which the announcement may begin."""
    before = _before(wanted)
    votes = np.zeros(before + ballots.shape[1], np.float32)
    for (offset, _), row in zip(wanted.pieces, ballots, strict=True):
        start = before - offset // CELL
        votes[start : start + len(row)] += row
    votes /= len(wanted.pieces)
    return votes


def _before(wanted: Announcement) -> int:
    """Cells by which an announcement may begin before the recording."""
    return wanted.pieces[-1][0] // CELL


def _blocks(samples: Samples, rate: int, hop_s: int) -> Iterator[tuple[Floats, int]]:
    """Blocks of BLOCK_S at RATE and within BAND, each `hop_s` after the one before; samples of each not in the next."""
    size = BLOCK_S * RATE
    frequency = np.arange(size // 2 + 1) / BLOCK_S
    inside = (frequency >= BAND[0]) & (frequency <= BAND[1])
    for start in range(0, len(samples), hop_s * rate):
        part = np.zeros(BLOCK_S * rate, np.float32)
        piece = samples[start : start + len(part)]
        part[: len(piece)] = piece
        spectrum = np.fft.rfft(part)[: size // 2 + 1] * inside * (RATE / rate)
        yield np.fft.irfft(spectrum, size).astype(np.float32), hop_s * RATE
