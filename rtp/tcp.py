"""The octets of TCP connections out of captured segments (RFC 9293): in order, each once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from rtp.reassembly import Endpoint, Segment

SYN: Final = 2
MOST_WAITING: Final = 256
"""Segments behind one that is missing, before it is given up."""
_HALF: Final = 1 << 31


@dataclass(slots=True)
class Flow:
    """One direction of a connection."""

    source: Endpoint
    destination: Endpoint
    chunks: list[tuple[int, bytes]] = field(default_factory=list)
    """(UTC in nanoseconds, octets), in order; None of a chunk: what lies before is missing."""
    breaks: set[int] = field(default_factory=set)
    """Chunks before which octets are missing."""
    _next: int | None = None
    _waiting: list[Segment] = field(default_factory=list)

    def add(self, segment: Segment) -> None:
        if segment.flags & SYN:
            self._next = segment.sequence + 1 & 0xFFFFFFFF
            return
        if not segment.payload:
            return
        if self._next is None:
            self._next = segment.sequence
        self._waiting.append(segment)
        self._drain()
        if len(self._waiting) > MOST_WAITING:
            self.skip()

    def skip(self) -> None:
        """Give up what is missing."""
        while self._waiting:
            self._next = min(self._waiting, key=lambda each: self._ahead(each.sequence)).sequence
            self.breaks.add(len(self.chunks))
            self._drain()

    def _drain(self) -> None:
        """Take what follows; what came already is left out."""
        assert self._next is not None
        self._waiting.sort(key=lambda each: self._ahead(each.sequence))
        while self._waiting and self._ahead(self._waiting[0].sequence) <= 0:
            segment = self._waiting.pop(0)
            fresh = segment.payload[-self._ahead(segment.sequence) :]
            if fresh:
                self.chunks.append((segment.time_ns, fresh))
                self._next = self._next + len(fresh) & 0xFFFFFFFF

    def _ahead(self, sequence: int) -> int:
        """Return how far a sequence number is beyond the next one wanted."""
        assert self._next is not None
        return (sequence - self._next + _HALF & 0xFFFFFFFF) - _HALF


def flows(segments: Iterable[Segment]) -> list[Flow]:
    """Bring segments, given in order of time, into order."""
    found: dict[tuple[Endpoint, Endpoint], Flow] = {}
    for segment in segments:
        key = segment.source, segment.destination
        found.setdefault(key, Flow(*key)).add(segment)
    for flow in found.values():
        flow.skip()
    return list(found.values())
