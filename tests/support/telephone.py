"""Sound through a real codec and a network that loses packets, as the recorder would have it."""

from collections.abc import Callable
from functools import partial

import av
import numpy as np

from rtp.codecs import Codec, decode, encode
from tests.support import encoders

FRAME_S = 0.02


def _with_ffmpeg(name: str, rate: int, bit_rate: int, head: bytes, sound: np.ndarray) -> list[bytes]:
    """Payloads of 20 ms from an encoder of FFmpeg, each with `head` before it."""
    context = av.CodecContext.create(name, "w")
    context.sample_rate, context.layout, context.bit_rate = rate, "mono", bit_rate
    context.format = "s16"
    context.open()
    payloads: list[bytes] = []
    step = round(rate * FRAME_S)
    for at in range(0, len(sound), step):
        frame = av.AudioFrame.from_ndarray(sound[at : at + step].reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate, at
        payloads += [head + bytes(packet) for packet in context.encode(frame)]
    return payloads


def _g729(sound: np.ndarray) -> list[bytes]:
    """ITU-T G.729A, two frames of 10 ms a packet; of silence suppression nothing."""
    frames = encoders.g729(sound)
    return [b"".join(pair) for pair in zip(frames[::2], frames[1::2], strict=True)]


def _g711(name: str, sound: np.ndarray) -> list[bytes]:
    return [frame.tobytes() for frame in encode(name, sound).reshape(-1, 160)]


Encode = Callable[[np.ndarray], list[bytes]]


def codecs() -> dict[str, tuple[Codec, int, Encode]]:
    """What there is an encoder for: codec, Hz of the sound it takes, encoder."""
    amr = Codec(97, "AMR", 8000, fmtp="octet-align=1")
    opus = Codec(96, "OPUS", 48000, 2)
    found: dict[str, tuple[Codec, int, Encode]] = {
        "PCMU": (Codec(0, "PCMU", 8000), 8000, partial(_g711, "PCMU")),
        "PCMA": (Codec(8, "PCMA", 8000), 8000, partial(_g711, "PCMA")),
        "G722": (Codec(9, "G722", 8000), 16000, partial(_with_ffmpeg, "g722", 16000, 64_000, b"")),
        "AMR 4.75": (amr, 8000, partial(_with_ffmpeg, "libopencore_amrnb", 8000, 4750, b"\xf0")),
        "AMR 12.2": (amr, 8000, partial(_with_ffmpeg, "libopencore_amrnb", 8000, 12200, b"\xf0")),
        "OPUS 8": (opus, 48000, partial(_with_ffmpeg, "libopus", 48000, 8_000, b"")),
        "OPUS 24": (opus, 48000, partial(_with_ffmpeg, "libopus", 48000, 24_000, b"")),
    }
    if encoders.available(encoders.BCG729):
        found["G729"] = (Codec(18, "G729", 8000), 8000, _g729)
    return found


def heard(codec: Codec, payloads: list[bytes], lost: np.ndarray) -> tuple[np.ndarray, int]:
    """What is heard of packets when those of `lost` (bool) do not come, silence in their place; and its rate."""
    kept = [payload for payload, gone in zip(payloads, lost, strict=False) if not gone]
    length = np.array([len(payload) for payload in kept])
    data = np.frombuffer(b"".join(kept), np.uint8)
    decoded = decode(codec, data, np.cumsum(length) - length, length)
    assert decoded is not None
    step = round(decoded.rate * FRAME_S)
    sound = np.zeros((len(payloads), step), np.int16)
    ends = np.cumsum(decoded.counts)
    for place, end in zip(np.flatnonzero(~lost), ends, strict=True):
        part = decoded.samples[max(end - step, 0) : end]
        sound[place, : len(part)] = part
    return sound.ravel(), decoded.rate
