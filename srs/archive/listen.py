"""The RTP that came for one m-line of a recording session: SSRC by SSRC, each packet with its codec and its place."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rtp import jitter, packet, redundancy
from rtp.codecs import NOT_AUDIO, STATIC, Codec, ticks
from rtp.jitter import Timeline
from rtp.lock import trusted
from rtp.packet import Packets
from rtp.pcap import Datagrams
from srs.siprec.session import Stream

Integers = NDArray[np.int64]
UNKNOWN_RATE = 8000
"""Hz, guessed for a payload type that no offer explains."""
NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """One SSRC: the packets of its sender before the end of the session, in order of arrival."""

    ssrc: int
    packets: Packets
    codec: Integers
    """Index into the codecs of the stream, one a packet."""
    clock_rate: Integers
    """Hz, one a packet."""
    timeline: Timeline
    begin_ns: Integers
    end_ns: Integers
    """Where the sound of each packet played begins and ends, UTC."""
    copied: NDArray[np.bool_]
    """Which packets were lost, and are known from what others repeat (RFC 2198): they have the time of those."""
    early_ns: int = 0
    """By how much its place is earlier than its packets came, as its sender reports tell: see `srs.archive.reports`."""

    @property
    def copies(self) -> int:
        return int(self.copied.sum())

    def earlier(self, by_ns: int) -> "Source":
        """Return the same packets, each at an earlier place."""
        if by_ns == 0:
            return self
        begin_ns, end_ns = self.begin_ns - by_ns, self.end_ns - by_ns
        timeline = self.timeline.earlier(by_ns)
        return replace(self, timeline=timeline, begin_ns=begin_ns, end_ns=end_ns, early_ns=by_ns)


@dataclass(frozen=True, slots=True)
class Heard:
    """What came for a stream."""

    codecs: tuple[Codec, ...]
    sources: tuple[Source, ...]
    strangers: int
    """Packets from another address than the sender of their SSRC."""
    lone: int
    """Packets that are the only one of their SSRC, beside others: no sender begins and ends so (RFC 3550 A.1)."""
    after_end: int
    malformed: Mapping[str, int]

    @property
    def first_ns(self) -> int | None:
        """Where the first packet stands, UTC; None: there is none."""
        return min((int(source.packets.time_ns[0]) - source.early_ns for source in self.sources), default=None)

    @property
    def last_ns(self) -> int | None:
        """Where the sound of the packets ends, at most one packet after the last arrival; None: there is none."""
        return max(map(_end_of_sound, self.sources), default=None)


def listen(datagrams: Datagrams, rows: Integers, stream: Stream, end_ns: int | None) -> Heard:
    """Bring the datagrams `rows`, which came for `stream`, into order and place.

    Args:
        end_ns: UTC; what arrives later is only counted. None: the session has no end.
    """
    rows = rows[np.argsort(datagrams.time_ns[rows], kind="stable")]
    length = datagrams.length[rows].astype(np.int64)
    everything, malformed = packet.parse(datagrams.data, rows, datagrams.time_ns[rows], datagrams.start[rows], length)
    packets = everything if end_ns is None else everything.take(everything.time_ns <= end_ns)
    count = len(packets)
    codecs, codec = _codecs(stream, packets)
    copied = np.zeros(count, bool)
    if redundant := [index for index, each in enumerate(codecs) if each.name == redundancy.NAME]:
        expanded = redundancy.expand(datagrams.data, packets, np.isin(codec, redundant))
        packets, copied = expanded.packets, expanded.copied
        malformed["red"] += expanded.broken
        codecs, codec = _codecs(stream, packets)
    releases = np.array([since for since, _ in stream.codecs], np.int64)
    sources = []
    senders = _by_ssrc(packets.ssrc, copied)
    for chosen in senders:
        every = slice(None) if len(chosen) == len(packets) else chosen
        from_sender = trusted(_senders(datagrams, packets.row[every]), packets.time_ns[every], releases)
        own = every if from_sender.all() else chosen[from_sender]
        sources.append(_source(datagrams.data, packets.take(own), codec[own], codecs, copied[own]))
    sent = sum(map(len, senders))
    return Heard(
        codecs=codecs,
        sources=tuple(sources),
        strangers=sent - sum(len(source.packets) for source in sources),
        lone=len(packets) - sent,
        after_end=len(everything) - count,
        malformed=dict(+malformed),
    )


def _source(
    data: NDArray[np.uint8], packets: Packets, codec: Integers, codecs: tuple[Codec, ...], copied: NDArray[np.bool_]
) -> Source:
    duration = np.zeros(len(packets), np.int64)
    for index in np.flatnonzero(np.bincount(codec)).tolist():
        chosen = codec == index
        duration[chosen] = ticks(codecs[index], data, packets.start[chosen], packets.length[chosen])
    clock_rate = np.array([each.clock_rate for each in codecs])[codec]
    audio = np.array([each.name not in NOT_AUDIO for each in codecs])[codec]
    timeline = jitter.order(
        packets.sequence, packets.timestamp, packets.time_ns, clock_rate, duration, audio & (packets.length > 0)
    )
    per_tick = NS / clock_rate[timeline.packet]
    begin_ns, end_ns = (
        timeline.anchor_ns + np.rint(ticks * per_tick).astype(np.int64)
        for ticks in (timeline.ticks, timeline.ticks + timeline.duration)
    )
    return Source(int(packets.ssrc[0]), packets, codec, clock_rate, timeline, begin_ns, end_ns, copied)


def _by_ssrc(ssrc: NDArray[np.uint32], copied: NDArray[np.bool_]) -> list[Integers]:
    """Return the packets of each SSRC, in order of its first packet; those with one packet only if all are such."""
    if len(ssrc) and (ssrc == ssrc[0]).all():
        return [np.arange(len(ssrc))]
    values, first, which = np.unique(ssrc, return_index=True, return_inverse=True)
    counts = np.bincount(which.reshape(-1), ~copied)
    senders = counts > 1 if (counts > 1).any() else counts > 0
    return [np.flatnonzero(ssrc == value) for value in values[senders][np.argsort(first[senders])]]


def _senders(datagrams: Datagrams, rows: Integers) -> Integers:
    """Return a number for the address and port that each datagram came from."""
    address, port = datagrams.source[rows], datagrams.source_port[rows]
    halves = address.view(np.uint64)
    if (port == port[0]).all() and (halves == halves[0]).all():
        return np.zeros(len(rows), np.int64)
    octets = np.column_stack([address, port.view(np.uint8).reshape(-1, 2)])
    return np.unique(octets, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _codecs(stream: Stream, packets: Packets) -> tuple[tuple[Codec, ...], Integers]:
    """Return the codecs of some packets, and which one each is."""
    codecs: list[Codec] = []
    index = np.zeros(len(packets), np.int64)
    for payload_type in np.flatnonzero(np.bincount(packets.payload_type)).tolist():
        chosen = np.flatnonzero(packets.payload_type == payload_type)
        since, meanings = _meanings(stream, payload_type)
        which = np.maximum(np.searchsorted(since, packets.time_ns[chosen], "right") - 1, 0)
        index[chosen] = len(codecs) + which
        codecs += meanings
    return tuple(codecs), index


def _meanings(stream: Stream, payload_type: int) -> tuple[Integers, list[Codec]]:
    """Return since when a payload type has meant what; before the first offer that names it, it means the same.

    A later offer that does not name it changes nothing: packets under way still have the old meaning.
    """
    found = [
        (since, codec) for since, offered in stream.codecs for codec in offered if codec.payload_type == payload_type
    ]
    if not found:
        found = [(0, STATIC.get(payload_type, Codec(payload_type, f"UNKNOWN-{payload_type}", UNKNOWN_RATE)))]
    return np.array([since for since, _ in found], np.int64), [codec for _, codec in found]


def _end_of_sound(source: Source) -> int:
    """Return where the last packet's sound ends; not later than if it began when the last packet arrived."""
    last_ns = int(source.packets.time_ns[-1])
    if len(source.end_ns) == 0:
        return last_ns
    longest_ns = int((source.end_ns - source.begin_ns).max())
    return max(last_ns, min(int(source.end_ns.max()), last_ns + longest_ns))
