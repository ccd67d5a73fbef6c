"""A call's sound as Opus to a browser, by WebRTC.

Only the recorder's own addresses are offered (host candidates): a voice network has no STUN server, and needs none.
"""

import asyncio
import fractions
import time
from typing import Final

import numpy as np
from aioice import ice
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from srs.live.ear import RATE, Ear

DELAY_S: Final = 0.7
"""So long after it came sound is heard: capture workers write every half second."""
FRAME_S: Final = 0.02
FRAME: Final = round(RATE * FRAME_S)
HEAR_EVERY: Final = 5
"""Frames between looks at the capture."""
LATE_S: Final = 0.2
"""A process that was held up by more leaves out what it missed."""


_others = ice.get_host_addresses


def _host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    """The addresses of this machine, loopback too: for a browser on it, and where there is no network at all."""
    return [*_others(use_ipv4, use_ipv6), "127.0.0.1"]


ice.get_host_addresses = _host_addresses  # aioice leaves loopback out, and has no setting for it


class CallTrack(MediaStreamTrack):
    """The sound of a call, each frame when it is due."""

    kind = "audio"

    def __init__(self, ear: Ear) -> None:
        super().__init__()
        self._ear = ear
        self._frames = 0
        self._due = 0.0
        self._heard_ns = 0

    async def recv(self) -> AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        await self._wait()
        if self._frames % HEAR_EVERY == 0:
            await asyncio.to_thread(self._ear.hear, time.time_ns())
        samples = self._ear.take(self._heard_ns, FRAME)
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts = RATE, self._frames * FRAME
        frame.time_base = fractions.Fraction(1, RATE)
        self._frames += 1
        return frame

    async def _wait(self) -> None:
        """Until the next frame is due; `_heard_ns` is then the moment that it begins with."""
        now = asyncio.get_running_loop().time()
        self._due, self._heard_ns = self._due + FRAME_S, self._heard_ns + round(FRAME_S * 1e9)
        if now > self._due + LATE_S:
            self._due, self._heard_ns = now, time.time_ns() - round(DELAY_S * 1e9)
        await asyncio.sleep(self._due - now)


async def answer(peer: RTCPeerConnection, ear: Ear, offer: str) -> str:
    """Have a peer send a call's sound; returns the answer to an offer (SDP).

    Raises:
        ValueError: it is no offer to hear sound.
    """
    try:
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        peer.addTrack(CallTrack(ear))
        await peer.setLocalDescription(await peer.createAnswer())
    except (ValueError, KeyError, IndexError, AttributeError, AssertionError) as error:
        raise ValueError(f"no offer to hear sound: {error!r}") from error
    return str(peer.localDescription.sdp)


def connection() -> RTCPeerConnection:
    """A new connection that knows of no other server."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))
