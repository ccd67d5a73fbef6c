"""The packets of a capture, in whatever file format it is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class CaptureError(ValueError):
    """Not a capture file that can be read; the message says what it is instead."""


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """Packets of one link type, in file order."""

    data: NDArray[np.uint8]
    """The whole file."""
    time_ns: NDArray[np.int64]
    """UTC."""
    start: NDArray[np.int64]
    """Offset of each link header in `data`."""
    captured: NDArray[np.int64]
    """Octets of each that are there."""
    link: int
    """One of `rtp.datagrams.LINK_TYPES`."""
    lost_tail: int
    """Octets that form no whole record."""
