"""SRTP in a capture: opened before anything else is read from it, so that all that follows sees RTP and RTCP."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rtp import packet
from rtp.pcap import Datagrams
from rtp.srtp import Epoch, Opener
from srs.archive.demultiplex import demultiplex
from srs.archive.facts import Interval, LegFacts
from srs.siprec.session import Session, Stream

Integers = NDArray[np.int64]


@dataclass(slots=True)
class Refused:
    """When packets came that were not taken, UTC in nanoseconds."""

    forged: list[int] = field(default_factory=list)
    """Made with none of the keys that were agreed on."""
    replayed: list[int] = field(default_factory=list)


class Openers:
    """What opens the streams of a session; of one that goes on, piece by piece."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[tuple[Epoch, ...], Opener]] = {}

    def of(self, stream: Stream) -> Opener:
        """Return what opens a stream; another one, when other keys are agreed on."""
        keys, opener = self._known.get(stream.index, ((), None))
        if opener is None or keys != stream.keys:
            opener = Opener(stream.keys)
            self._known[stream.index] = stream.keys, opener
        return opener


def opened(
    datagrams: Datagrams, session: Session, openers: Openers | None = None
) -> tuple[Datagrams, Mapping[int, Refused]]:
    """Return a capture with its SRTP as RTP, without the packets that are not taken; and those, by local RTP port.

    Args:
        openers: of the pieces before, where this is a piece of a capture.
    """
    streams = [stream for stream in session.streams if stream.local]
    if not any(stream.keys for stream in streams):
        return datagrams, {}
    clear, refused, openers = _Clear(datagrams), dict[int, Refused](), openers or Openers()
    for stream, rows in zip(streams, demultiplex(datagrams, streams, 0), strict=True):
        if stream.keys and stream.local:
            control = np.flatnonzero(datagrams.destination_port == stream.local[1] + 1)
            taken = refused.setdefault(stream.local[1], Refused())
            _open_stream(datagrams, openers.of(stream), np.concatenate([rows, control]), clear, taken)
    return clear.datagrams(), refused


def told(facts: LegFacts, stream: Stream, refused: Refused | None, extent: Interval) -> LegFacts:
    """Return the facts of a leg with what is known of its protection between two moments."""
    if refused is None:
        return facts
    forged, replayed = (
        sum(extent[0] <= time_ns <= extent[1] for time_ns in times) for times in (refused.forged, refused.replayed)
    )
    suites = dict.fromkeys(key.suite.name for _, keys in stream.keys for key in keys)
    return replace(facts, srtp=", ".join(suites), forged=forged, replayed=replayed)


class _Clear:
    """The octets of opened packets, behind those of the capture."""

    def __init__(self, datagrams: Datagrams) -> None:
        self._datagrams, self._octets = datagrams, bytearray()
        self._start, self._length = datagrams.start.copy(), datagrams.length.copy()
        self._taken = np.ones(len(datagrams), bool)

    def put(self, row: int, octets: bytes | None) -> None:
        """Have a datagram read so; None: not at all."""
        if octets is None:
            self._taken[row] = False
            return
        self._start[row], self._length[row] = len(self._datagrams.data) + len(self._octets), len(octets)
        self._octets += octets

    def datagrams(self) -> Datagrams:
        data = np.concatenate([self._datagrams.data, np.frombuffer(self._octets, np.uint8)])
        return replace(self._datagrams, data=data, start=self._start, length=self._length).take(self._taken)


def _open_stream(datagrams: Datagrams, opener: Opener, rows: Integers, clear: _Clear, refused: Refused) -> None:
    for row, header in _protected(datagrams, rows):
        time_ns, replays = int(datagrams.time_ns[row]), opener.replayed
        if opener.is_plain(time_ns):
            continue
        octets = datagrams.payload(row)
        made = opener.open(octets, header, time_ns) if header else opener.open_control(octets, time_ns)
        clear.put(row, made)
        if made is None:
            (refused.replayed if opener.replayed > replays else refused.forged).append(time_ns)


_OTHER, _RTP, _RTCP = range(3)


def _kinds(datagrams: Datagrams, rows: Integers) -> Integers:
    start, length = datagrams.start[rows], datagrams.length[rows]
    kinds = np.full(len(rows), _OTHER)
    whole = length >= packet.HEADER_SIZE
    flags, second = (datagrams.data[start[whole] + at] for at in (0, 1))
    control = (second >= packet.RTCP[0]) & (second <= packet.RTCP[1])
    kinds[whole] = np.where(flags >> 6 == 2, np.where(control, _RTCP, _RTP), _OTHER)
    return kinds


def _protected(datagrams: Datagrams, rows: Integers) -> Iterator[tuple[int, int]]:
    """Yield the packets of a stream in order of arrival, and where the payload of each begins; 0: it is RTCP."""
    rows = rows[np.argsort(datagrams.time_ns[rows], kind="stable")]
    kinds = _kinds(datagrams, rows)
    rows, kinds = rows[kinds != _OTHER], kinds[kinds != _OTHER]
    start, length = datagrams.start[rows], datagrams.length[rows].astype(np.int64)
    headers = packet.header_sizes(datagrams.data, datagrams.data[start], start, length)
    yield from zip(rows.tolist(), np.where(kinds == _RTP, headers, 0).tolist(), strict=True)
