"""The RTCP of a recording: legs whose packets took longer are brought to where their sender reports say."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtp.pcap import Datagrams
from rtp.rtcp import Name, RtcpError, SenderReport, parse
from rtp.synchronise import Reports, behind
from srs.archive.listen import Heard, Source
from srs.siprec.session import Stream

Integers = NDArray[np.int64]
APART_NS: Final = 1_000_000_000
"""By which the timestamp of a report may be off from the packet before it: else it is of another line of timestamps."""


@dataclass(slots=True)
class _Told:
    """What the RTCP of an m-line says of its sources."""

    names: dict[int, str] = field(default_factory=dict)
    """SSRC to CNAME."""
    reports: defaultdict[int, list[tuple[int, SenderReport]]] = field(default_factory=lambda: defaultdict(list))
    """SSRC to its reports with their arrival, UTC in nanoseconds."""


def aligned(datagrams: Datagrams, heard: Mapping[Stream, Heard]) -> dict[Stream, Heard]:
    """Return the legs of a recording, of which those that come later than others by their own reports are earlier.

    Believed are reports of sources with one CNAME: they have one clock (RFC 3550 §6.5.1).
    """
    groups: dict[str, list[tuple[Source, Reports]]] = {}
    for stream, each in heard.items():
        told = _told(datagrams, stream, each)
        for source in each.sources:
            if source.ssrc in told.names and (reports := _placed(source, told.reports[source.ssrc])):
                groups.setdefault(told.names[source.ssrc], []).append((source, reports))
    late = {
        id(source): by
        for group in groups.values()
        for (source, _), by in zip(group, behind([reports for _, reports in group]), strict=True)
    }
    return {
        stream: replace(each, sources=tuple(source.earlier(late.get(id(source), 0)) for source in each.sources))
        for stream, each in heard.items()
    }


def _told(datagrams: Datagrams, stream: Stream, heard: Heard) -> _Told:
    """Read the RTCP that came for a stream, from the hosts that its sound comes from."""
    told = _Told()
    hosts = {datagrams.source[int(source.packets.row[0])].tobytes() for source in heard.sources}
    port = stream.local[1] + 1 if stream.local else 0
    for row in np.flatnonzero(datagrams.destination_port == port).tolist():
        if datagrams.source[row].tobytes() in hosts:
            for each in _packets(datagrams.payload(row)):
                if isinstance(each, SenderReport) and each.ntp:
                    told.reports[each.ssrc].append((int(datagrams.time_ns[row]), each))
                elif isinstance(each, Name):
                    told.names[each.ssrc] = each.cname
    return told


def _packets(octets: bytes) -> Iterator[object]:
    """Yield what can be read."""
    try:
        yield from parse(octets)
    except RtcpError:
        return


def _placed(source: Source, reports: list[tuple[int, SenderReport]]) -> Reports | None:
    """Return where the reported moments stand; None: none of them is near a packet."""
    timeline = source.timeline
    came_ns = source.packets.time_ns[timeline.packet]
    if len(came_ns) == 0:
        return None
    order = np.argsort(came_ns, kind="stable")
    found = []
    for time_ns, report in reports:
        before = int(order[max(int(np.searchsorted(came_ns[order], time_ns, "right")) - 1, 0)])
        packet = int(timeline.packet[before])
        second = int(source.clock_rate[packet])
        ahead = (report.timestamp - int(source.packets.timestamp[packet]) + (1 << 31)) % (1 << 32) - (1 << 31)
        if abs(ahead * 1e9 / second - (time_ns - int(came_ns[before]))) <= APART_NS:
            ticks = float(timeline.ticks[before]) + ahead / (1 - float(timeline.skew[before]))
            found.append((report.time_ns, int(timeline.anchor_ns[before]) + round(ticks * 1e9 / second)))
    if not found:
        return None
    clock, place = np.array(sorted(found), np.int64).T
    return Reports(clock, place)
