"""Who listens in to which call: until it ends, they go, or their right does."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from srs.tasks import spawn

if TYPE_CHECKING:
    from aiortc import RTCPeerConnection

    from srs.live.ear import Ear

WATCH_S: Final = 1.0
CONNECT_S: Final = 20.0
LINGER_S: Final = 1.0
"""So long the end of a call is still under way to those who listen."""
MOST: Final = 20
"""Who listen at once, to all calls."""


class TooMany(Exception):
    """No more can listen at once."""


@dataclass(eq=False)
class Listener:
    """Somebody who listens in."""

    recording: str
    name: str
    ear: "Ear"
    peer: "RTCPeerConnection"
    since: float = field(default_factory=time.monotonic)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.peer.on("connectionstatechange", self._look)

    def _look(self) -> None:
        if self.peer.connectionState in ("failed", "closed"):
            self.gone.set()

    @property
    def listens(self) -> bool:
        """Whether there is still somebody, and something to hear."""
        late = self.peer.connectionState != "connected" and time.monotonic() > self.since + CONNECT_S
        return not (late or self.gone.is_set() or self.ear.is_over)


class Listeners:
    """All who listen in. Used on one event loop, but `names` in any thread."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._watches: set[asyncio.Task[None]] = set()

    def names(self, recording: str) -> list[str]:
        """Who listens to a call."""
        return sorted({each.name for each in list(self._listeners) if each.recording == recording})

    async def begin(
        self,
        capture: Path,
        name: str,
        offer: str,
        allowed: Callable[[], Awaitable[bool]],
        ended: Callable[[float], Awaitable[None]],
    ) -> str:
        """Let somebody listen to the call of a capture; returns the answer to their offer (SDP).

        Args:
            allowed: whether they still may, asked now and again.
            ended: called when they stop, with the seconds that they listened.

        Raises:
            TooMany: others listen already.
            OSError: the call has ended.
            ValueError: the offer is none.
        """
        if len(self._listeners) >= MOST:
            raise TooMany(f"{MOST} listen in already")
        from srs.live import broadcast  # aiortc takes half a second that only who listens needs
        from srs.live.ear import Ear

        ear = await asyncio.to_thread(Ear, capture)
        peer = broadcast.connection()
        listener = Listener(capture.stem, name, ear, peer)
        self._listeners.append(listener)
        try:
            answer = await broadcast.answer(peer, ear, offer)
        except BaseException:
            await self._forget(listener)
            raise
        watch = spawn(self._watch(listener, allowed, ended), f"listener {name}")
        self._watches.add(watch)
        watch.add_done_callback(self._watches.discard)
        return answer

    async def end(self) -> None:
        """Let go of all, as this process ends: their browsers notice at once, and may go on with the next one."""
        for listener in self._listeners:
            listener.gone.set()
        if self._watches:
            await asyncio.wait(self._watches, timeout=LINGER_S)

    async def _watch(
        self, listener: Listener, allowed: Callable[[], Awaitable[bool]], ended: Callable[[float], Awaitable[None]]
    ) -> None:
        try:
            while listener.listens and await allowed():
                with suppress(TimeoutError):
                    await asyncio.wait_for(listener.gone.wait(), WATCH_S)
            if listener.ear.is_over:
                await asyncio.sleep(LINGER_S)
        finally:
            await self._forget(listener)
            await ended(time.monotonic() - listener.since)

    async def _forget(self, listener: Listener) -> None:
        self._listeners.remove(listener)
        await listener.peer.close()
        listener.ear.close()
