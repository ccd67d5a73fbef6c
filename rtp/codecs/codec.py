"""What a payload type means, and what payloads come to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtp.blocks import joined

Octets = NDArray[np.uint8]
Samples = NDArray[np.int16]
Integers = NDArray[np.int64]
_AT_ONCE: Final = 512
MOST_CONCEALED_S: Final = 0.06
"""Of a loss that is sounded over."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type of an m-line: what rtpmap and fmtp say of it (RFC 8866 §6.6, RFC 3551)."""

    payload_type: int
    name: str
    """Encoding name as IANA spells it, in upper case for comparison: "PCMU", "OPUS", "TELEPHONE-EVENT"."""
    clock_rate: int
    """Hz, of the RTP timestamp."""
    channels: int = 1
    fmtp: str = ""
    """The parameters after the payload type."""


def _static(*rows: tuple[int, str, int] | tuple[int, str, int, int]) -> dict[int, Codec]:
    return {row[0]: Codec(*row) for row in rows}


STATIC: dict[int, Codec] = _static(
    (0, "PCMU", 8000),
    (2, "G726-32", 8000),  # reserved by RFC 3551, but SBCs still send it so
    (3, "GSM", 8000),
    (4, "G723", 8000),
    (5, "DVI4", 8000),
    (6, "DVI4", 16000),
    (7, "LPC", 8000),
    (8, "PCMA", 8000),
    (9, "G722", 8000),
    (10, "L16", 44100, 2),
    (11, "L16", 44100),
    (12, "QCELP", 8000),
    (13, "CN", 8000),
    (14, "MPA", 90000),
    (15, "G728", 8000),
    (16, "DVI4", 11025),
    (17, "DVI4", 22050),
    (18, "G729", 8000),
    (19, "CN", 8000),  # reserved by RFC 3551; what old Cisco gateways send
    (25, "CELB", 90000),
    (26, "JPEG", 90000),
    (28, "NV", 90000),
    (31, "H261", 90000),
    (32, "MPV", 90000),
    (33, "MP2T", 90000),
    (34, "H263", 90000),
)
"""The static payload types of RFC 3551 §6 that need no rtpmap, and two that are used as if they were."""

NOT_AUDIO = frozenset({"TELEPHONE-EVENT", "CN"})
"""Encodings that stand beside the audio in an m-line: digits (RFC 4733) and comfort noise (RFC 3389)."""


@dataclass(frozen=True, slots=True)
class Payloads:
    """Payloads of one sender in order of play, by where they lie in `data`."""

    data: Octets
    start: Integers
    length: Integers
    lost: Integers
    """How long the sound is that was lost right before each, in ticks of the RTP clock."""

    def __len__(self) -> int:
        return len(self.start)

    def octets(self, index: int) -> bytes:
        """Return one payload."""
        start = int(self.start[index])
        return self.data[start : start + int(self.length[index])].tobytes()

    def joined(self, counts: Integers) -> Octets:
        """Return the first `counts[i]` octets of every payload, end to end."""
        return joined(self.data, self.start, counts)

    def blocks(self) -> Iterator[Octets]:
        """Yield all payloads end to end, as many at a time as a cache holds."""
        for first in range(0, len(self), _AT_ONCE):
            rows = slice(first, first + _AT_ONCE)
            yield joined(self.data, self.start[rows], self.length[rows])


@dataclass(frozen=True, slots=True)
class Decoded:
    """The samples of some packets, end to end."""

    samples: Samples
    counts: Integers
    """Samples of each packet, in the order of the packets."""
    rate: int
    """Hz."""
    lead: Integers | None = None
    """Samples of each packet that sound before its timestamp: those of a lost one that it repeats; None: there are
    none."""
    damaged: int = 0
    """Packets that could not be decoded, or not whole: what is missing of them is silence."""
    concealed: Mapping[int, Samples] = field(default_factory=dict)
    """What a decoder that conceals losses itself makes of that between a packet and the one before, by the packet."""
