"""Somebody who listens in as a browser does, and what they hear."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import requests
from aiortc import RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from rtp.codecs import encode
from srs.live.broadcast import connection
from srs.siprec.src import CODECS, Plan
from srs.tasks import spawn

RATE = 48_000
PARTIES = ("sip:lena@example.com", "sip:omar@example.com")
BLOCK_S = 1.0
TONES = ((440, 880), (600, 1000))
"""Hz: what caller and callee sound in turns of `BLOCK_S`."""


def tone(frequency: float, seconds: float) -> np.ndarray:
    at = np.arange(round(seconds * 8000)) / 8000
    return (8000 * np.sin(2 * np.pi * frequency * at)).astype(np.int16)


def tones(target: tuple[str, int], seconds: float, codec: str = "PCMU", **more: object) -> Plan:
    """A call in which each party sounds two tones in turn."""
    sounds = [np.concatenate([tone(each, BLOCK_S) for each in pair]) for pair in TONES]
    frames = [[frame.tobytes() for frame in encode(codec, sound).reshape(-1, 160)] for sound in sounds]
    return Plan(target, "UDP", PARTIES, frames, CODECS[codec], seconds, **more)  # type: ignore[arg-type]


@dataclass
class Heard:
    """Frames as they came: when, and (n, 2) samples at 48 kHz."""

    frames: list[tuple[float, np.ndarray]] = field(default_factory=list)
    ended: bool = False

    def frequencies(self, channel: int) -> list[tuple[float, float]]:
        """When, and which tone is the loudest of the last fifth of a second in a channel; 0: silence."""
        found = []
        for index in range(10, len(self.frames), 2):
            part = np.concatenate([samples for _, samples in self.frames[index - 10 : index]])[:, channel].astype(float)
            loud = np.sqrt(np.mean(part**2)) > 200
            peak = np.argmax(np.abs(np.fft.rfft(part * np.hanning(len(part))))) * RATE / len(part)
            found.append((self.frames[index][0], float(peak) if loud else 0.0))
        return found


async def listen(ask: "requests.Session", url: str, seconds: float) -> Heard:
    """Listen to a call; `ask` is signed in."""
    peer, heard = connection(), Heard()
    peer.addTransceiver("audio", direction="recvonly")
    over = asyncio.Event()
    peer.on("track", lambda track: spawn(_take(track, heard, over), "hear"))
    peer.on("connectionstatechange", lambda: peer.connectionState in ("closed", "failed") and over.set())
    await peer.setLocalDescription(await peer.createOffer())
    offer = {"offer": peer.localDescription.sdp}
    answer = await asyncio.to_thread(lambda: ask.post(url, data=offer, timeout=30))
    assert answer.status_code == 200, answer.text
    await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
    with suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), seconds)
    heard.ended = over.is_set()
    await peer.close()
    return heard


async def _take(track: MediaStreamTrack, heard: Heard, over: asyncio.Event) -> None:
    with suppress(MediaStreamError):
        while True:
            frame = await track.recv()
            heard.frames.append((time.time(), frame.to_ndarray().reshape(-1, 2)))
    over.set()
