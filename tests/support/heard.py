"""What of a call's packets stands in its sound file, told by formulas that are not the product's."""

import wave
from pathlib import Path
from typing import IO

import numpy as np
from support.calls import FRAME

from rtp.mix import Channels


def decoded(octets: bytes) -> np.ndarray:
    """The samples of µ-law codes by the formula of ITU-T G.711."""
    codes = ~np.frombuffer(octets, np.uint8).astype(int) & 0xFF
    magnitude = ((2 * (codes & 15) + 33) << (codes >> 4 & 7)) - 33
    return (np.where(codes & 0x80, -1, 1) * magnitude * 4).astype(np.int16)


def samples(file: str | Path | IO[bytes]) -> np.ndarray:
    """Those of a WAV of 8 kHz: (frames, channels) int16."""
    with wave.open(str(file) if isinstance(file, Path) else file, "rb") as sound:
        assert (sound.getframerate(), sound.getsampwidth()) == (8000, 2)
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, sound.getnchannels())


def whole(sound: Channels) -> np.ndarray:
    """All samples: (frames, channels) int16."""
    return np.concatenate([*sound.pieces(), np.empty((0, len(sound.columns)), np.int16)])


def is_in(said: np.ndarray, heard: np.ndarray) -> bool:
    """Whether a sound is found in another one, as it was."""
    place = int(np.argmax(np.correlate(heard.astype(float), said.astype(float), "valid")))
    return bool(np.corrcoef(heard[place : place + len(said)], said)[0, 1] > 0.99)


def missing(path: Path, sent: list[list[bytes]]) -> int:
    """Packets of a call that do not stand in its sound file, each in its place behind the first of its leg."""
    lost = 0
    for channel, leg in zip(samples(path).T, sent, strict=True):
        truth = decoded(b"".join(leg))
        starts = [
            s for s in np.flatnonzero(channel == truth[0]) if np.array_equal(channel[s : s + FRAME], truth[:FRAME])
        ]
        assert starts, f"{path}: the first packet is missing"
        found = np.zeros(len(truth), np.int16)
        part = channel[starts[0] : starts[0] + len(truth)]
        found[: len(part)] = part
        lost += int((found.reshape(-1, FRAME) != truth.reshape(-1, FRAME)).any(axis=1).sum())
    return lost
