"""Speech of a synthetic voice, and sounds that are not speech: int16 at 8 kHz."""

import io
import shutil
import subprocess
from functools import cache

import av
import numpy as np
import pytest

RATE = 8000

needs_voice = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


@cache
def say(text: str, voice: str = "nl", speed: int = 160) -> np.ndarray:
    """What espeak-ng says, about half of full scale."""
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", text]
    spoken = subprocess.run(command, capture_output=True, check=True).stdout
    resampler = av.AudioResampler("s16", "mono", RATE)
    with av.open(io.BytesIO(spoken)) as file:
        frames = [out for frame in file.decode(audio=0) for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def music(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Chords with a melody, four a second, as a queue plays them."""
    time = np.arange(round(seconds * RATE)) / RATE
    beat = (time * 4).astype(int)
    notes = 220 * 2 ** (rng.choice([0, 2, 4, 5, 7, 9, 11, 12], (4, beat[-1] + 1)) / 12)
    decay = np.exp(-3 * (time * 4 % 1))
    sound = sum(np.sin(2 * np.pi * np.cumsum(note[beat]) / RATE) for note in notes)
    return np.rint(4000 * sound * decay).astype(np.int16)


def babble(rng: np.random.Generator, speech: np.ndarray) -> np.ndarray:
    """Noise with the spectrum and the loudness, from 20 ms to 20 ms, of speech."""
    frames = np.pad(speech, (0, -len(speech) % 160)).reshape(-1, 160).astype(float)
    spectrum = np.abs(np.fft.rfft(frames, axis=1))
    turned = spectrum * np.exp(2j * np.pi * rng.random(spectrum.shape))
    return np.rint(np.fft.irfft(turned, 160, axis=1)).clip(-32768, 32767).astype(np.int16).ravel()
