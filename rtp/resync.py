"""Whole records in a capture in which some are torn: a process was killed, or the disk was full, in mid-write.

What was appended behind a torn record is found again by what every record of the recorder has: an IP header of UDP
whose length is that of the record.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtp.ip import PROTOCOL_UDP
from rtp.records import boundaries, rows

_START: Final = np.dtype(
    [
        *((name, "<u4") for name in ("seconds", "nanoseconds", "captured", "original")),
        ("version", "u1"),
        ("class", "u1"),
        ("length4", ">u2"),
        ("length6", ">u2"),
        ("next6", "u1"),
        ("hops", "u1"),
        ("ttl", "u1"),
        ("protocol4", "u1"),
    ]
)
"""Of a record with raw IP."""
_LEAST: Final = 28
"""Octets of a packet with UDP."""
_LARGEST: Final = 1 << 18
_LOOK: Final = 1 << 16
"""Places looked at together."""


def whole_records(data: NDArray[np.uint8], first: int) -> tuple[NDArray[np.int64], int]:
    """Return where each whole record begins, and how many octets belong to none.

    Args:
        data: a nanosecond capture of raw IP, little-endian, as the recorder writes it.
        first: where the first record begins.
    """
    found, lost = [], 0
    while True:
        at, end = boundaries(data, first, "<")
        sound = len(at) if (wrong := np.flatnonzero(~plausible(data, at))).size == 0 else int(wrong[0])
        if sound == len(at) and end == len(data):
            break
        stop = int(at[sound]) if sound < len(at) else end
        last = int(at[sound - 1]) if sound else stop  # it may be whole, or have swallowed what follows it
        again = _next_start(data, last + 1)
        torn = last if again is not None and again < stop else stop
        found.append(at[: sound - (torn == last and sound > 0)])
        lost += (len(data) if again is None else again) - torn
        if again is None:
            return np.concatenate(found), lost
        first = again
    return np.concatenate([*found, at]), lost


def is_torn(data: NDArray[np.uint8], end: int) -> bool:
    """Tell whether what is behind the last whole record is no record that is still being written."""
    return len(data) - end >= _START.itemsize and not bool(plausible(data, np.array([end]))[0])


def plausible(data: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which places look like the beginning of a record."""
    found = np.zeros(len(at), np.bool_)
    within = np.flatnonzero(at + _START.itemsize <= len(data))
    head = rows(data, at[within], _START)
    original = head["original"]
    four = (head["version"] == 0x45) & (head["protocol4"] == PROTOCOL_UDP) & (head["length4"] == original)
    six = (head["version"] == 0x60) & (head["next6"] == PROTOCOL_UDP)
    six &= (head["length6"] == 0) | (head["length6"] + np.uint32(40) == original)
    sizes = (head["captured"] >= _LEAST) & (head["captured"] <= np.minimum(original, _LARGEST))
    found[within] = (four | six) & sizes & (head["nanoseconds"] < 1_000_000_000)
    return found


def _next_start(data: NDArray[np.uint8], first: int) -> int | None:
    """Return the first place from `first` on where a record begins."""
    for begin in range(first, len(data), _LOOK):
        places = np.arange(begin, min(begin + _LOOK, len(data)), dtype=np.int64)
        found = np.flatnonzero(plausible(data, places))
        if len(found):
            return begin + int(found[0])
    return None
