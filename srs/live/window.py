"""The last seconds of a capture that grows, as the sound of its legs.

What finalise does with a whole capture is done with these seconds, again and again: the same order of packets, the same
decoders, the same pauses. A decoder has so heard a second or more before what is taken from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtp.codecs import Samples
from rtp.pcap import Datagrams
from srs.archive import legs, listen
from srs.archive.demultiplex import demultiplex
from srs.archive.finalise import pauses
from srs.archive.legs import Frame
from srs.archive.listen import Heard, Source
from srs.archive.secure import Openers, opened
from srs.live.follow import Follower
from srs.siprec import operator
from srs.siprec.session import Party, Session, Stream, parties

LENGTH_NS: Final = 2_000_000_000
STEADY_NS: Final = 80_000_000
"""By so much the beginning of a stream may seem to move as the window does; then the network has changed."""
NEVER: Final = (1 << 62) - 1


@dataclass(frozen=True, slots=True)
class LegSound:
    """A leg between two moments."""

    party: Party
    codec: str | None
    packets: int
    """Of the whole window, and so the next."""
    lost: int
    samples: Samples
    rate: int
    """Hz."""


class Window:
    """Of one capture."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            OSError: it cannot be read; the call may have ended.
        """
        self._follower = Follower(path)
        self._recent: Datagrams | None = None
        self._openers = Openers()
        self._begins: dict[tuple[int, int], tuple[int, int]] = {}
        """Stream and SSRC to a timestamp and when it sounds, UTC in nanoseconds."""

    def close(self) -> None:
        self._follower.close()

    @property
    def is_over(self) -> bool:
        return self._follower.is_over

    @property
    def session(self) -> Session | None:
        return self._follower.session

    @property
    def newest_ns(self) -> int:
        """When the newest datagram came, UTC; 0: none has."""
        return int(self._recent.time_ns.max()) if self._recent is not None and len(self._recent) else 0

    def move(self, now_ns: int) -> None:
        """Take in what was written since the last time, and let go of what is old."""
        for found in self._follower.news():
            fresh = found.take(found.time_ns >= now_ns - LENGTH_NS)
            if len(fresh) and self.session is not None:
                fresh, _ = opened(fresh, self.session, self._openers)
                self._recent = fresh if self._recent is None else _joined(self._recent, fresh)
        if self._recent is not None:
            self._recent = self._recent.take(self._recent.time_ns >= now_ns - LENGTH_NS)

    def sounds(self, since_ns: int, until_ns: int) -> Iterator[LegSound]:
        """Yield each leg in channel order, as it sounds between two moments of the window."""
        session, recent = self.session, self._recent
        if session is None or recent is None:
            return
        streams = parties(session)
        withheld = tuple((int(since), int(until)) for since, until, _ in operator.pauses(session.events, NEVER))
        rows = demultiplex(recent, list(streams), 0)
        for (stream, party), own in zip(streams.items(), rows, strict=True):
            heard = self._steady(stream, listen.listen(recent, own, stream, session.ended_ns))
            frame = Frame(since_ns, until_ns, pauses(stream, since_ns, until_ns), withheld)
            sound = legs.sound(recent.data, heard, frame)
            packets, lost = (
                sum(getattr(each.timeline, name) for each in heard.sources) for name in ("packets", "lost")
            )
            yield LegSound(party, legs.main_codec(heard), packets, lost, sound.samples, sound.rate)

    def _steady(self, stream: Stream, heard: Heard) -> Heard:
        sources = tuple(self._steadied(stream, source) for source in heard.sources)
        return replace(heard, sources=sources)

    def _steadied(self, stream: Stream, source: Source) -> Source:
        """A source that begins where it did in the windows before: what the jitter of one says moves nothing."""
        timeline = source.timeline
        if len(timeline.packet) == 0 or (timeline.anchor_ns != timeline.anchor_ns[0]).any():
            return source
        first = timeline.packet[0]
        timestamp, rate = source.packets.timestamp[first], int(source.clock_rate[first])
        sounds_ns = int(timeline.anchor_ns[0] + round(float(timeline.ticks[0]) * 1e9 / rate))
        known, key = self._begins.get((stream.index, source.ssrc)), (stream.index, source.ssrc)
        moved_ns = 0 if known is None else sounds_ns - known[1] - round(_ticks(timestamp, known[0]) * 1e9 / rate)
        moved_ns = moved_ns if abs(moved_ns) <= STEADY_NS else 0
        self._begins[key] = int(timestamp), sounds_ns - moved_ns
        return replace(source, timeline=replace(timeline, anchor_ns=timeline.anchor_ns - moved_ns))


def _ticks(later: np.uint32, earlier: int) -> int:
    """Return how many ticks lie between two timestamps, across a wrap too."""
    return (int(later) - earlier + (1 << 31)) % (1 << 32) - (1 << 31)


def _joined(before: Datagrams, fresh: Datagrams) -> Datagrams:
    """Return the datagrams of both, in a piece of memory of their own."""
    parts = (before, fresh)
    octets = [_octets(part) for part in parts]
    lengths = np.concatenate([part.length for part in parts])
    return Datagrams(
        data=np.concatenate(octets),
        time_ns=np.concatenate([part.time_ns for part in parts]),
        source=np.concatenate([part.source for part in parts]),
        source_port=np.concatenate([part.source_port for part in parts]),
        destination=np.concatenate([part.destination for part in parts]),
        destination_port=np.concatenate([part.destination_port for part in parts]),
        start=np.cumsum(lengths, dtype=np.int64) - lengths,
        length=lengths,
        lost_tail=0,
    )


def _octets(datagrams: Datagrams) -> NDArray[np.uint8]:
    """Return the payloads end to end."""
    return np.frombuffer(b"".join(datagrams.payload(row) for row in range(len(datagrams))), np.uint8)
