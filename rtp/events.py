"""Digits and tones that a sender names instead of sounding them (RFC 4733)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtp.packet import Packets

NAMES = "0123456789*#ABCD!"
"""By event code: the digits, and ! for the hook flash (RFC 4733 §3.2)."""
_SIZE = 4
_SEGMENT = 0xFFFF
"""The longest duration that a packet can tell: what lasts longer goes on under a new timestamp (§2.5.1.3)."""


@dataclass(frozen=True, slots=True)
class Event:
    """One key that was pressed, or one tone."""

    code: int
    start_ns: int
    """UTC."""
    length_ns: int

    @property
    def name(self) -> str:
        """The key, or the number of another event."""
        return NAMES[self.code] if self.code < len(NAMES) else str(self.code)


@dataclass(slots=True)
class _Heard:
    """What the packets of one timestamp tell."""

    code: int
    timestamp: int
    start_ns: int
    ticks: int
    ended: bool


def read(data: NDArray[np.uint8], packets: Packets, clock_rate: int) -> list[Event]:
    """Return the events of one sender.

    All packets of an event have its timestamp, however often they are repeated; it began its duration before each came.

    Args:
        packets: those with events, in order of arrival; what is too short is left out.
        clock_rate: Hz.
    """
    found: dict[tuple[int, int], _Heard] = {}
    for index in np.flatnonzero(packets.length >= _SIZE).tolist():
        start = int(packets.start[index])
        code, flags, high, low = data[start : start + _SIZE].tolist()
        ticks = high << 8 | low
        began_ns = int(packets.time_ns[index]) - round(ticks * 1e9 / clock_rate)
        key = (int(packets.timestamp[index]), code)
        heard = found.setdefault(key, _Heard(code, key[0], began_ns, ticks, ended=False))
        heard.start_ns = min(heard.start_ns, began_ns)
        heard.ticks, heard.ended = max(heard.ticks, ticks), heard.ended or flags >= 0x80
    return [
        Event(heard.code, heard.start_ns, round(heard.ticks * 1e9 / clock_rate))
        for heard in _joined(sorted(found.values(), key=lambda each: each.start_ns))
    ]


def _joined(segments: list[_Heard]) -> list[_Heard]:
    """Put the segments of long events together."""
    events: list[_Heard] = []
    for segment in segments:
        last = events[-1] if events else None
        if last and last.code == segment.code and _goes_on(last, segment):
            last.ticks, last.ended = last.ticks + segment.ticks, segment.ended
        else:
            events.append(segment)
    return events


def _goes_on(last: _Heard, segment: _Heard) -> bool:
    behind = (segment.timestamp - last.timestamp) & 0xFFFFFFFF
    return not last.ended and last.ticks >= _SEGMENT and behind in (last.ticks, last.ticks + 1)
