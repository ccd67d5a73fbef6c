"""Sound for our SRC: 8 kHz mono, whole frames of 20 ms."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 8000
FRAME = 160


def load(path: Path) -> NDArray[np.int16]:
    """The sound of any file that FFmpeg reads, padded with silence to a whole frame.

    Raises:
        OSError: it cannot be read, or has no sound.
    """
    import av  # here: 60 ms that tones do not need

    resampler = av.AudioResampler("s16", "mono", RATE)
    with av.open(path) as file:
        if not file.streams.audio:
            raise OSError(f"{path}: no sound in it")
        frames = [out for frame in file.decode(audio=0) for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    return _whole(np.concatenate([frame.to_ndarray()[0] for frame in frames]))


def tone(frequency_hz: float) -> NDArray[np.int16]:
    """A second of a tone."""
    return np.round(8000 * np.sin(2 * np.pi * frequency_hz * np.arange(RATE) / RATE)).astype(np.int16)


def _whole(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    return np.pad(samples, (0, -len(samples) % FRAME))
