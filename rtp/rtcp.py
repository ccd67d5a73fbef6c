"""RTCP packets (RFC 3550 §6): those of others read, receiver reports, SDES and BYE built. Pure."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

SENDER_REPORT: Final = 200
RECEIVER_REPORT: Final = 201
SOURCE_DESCRIPTION: Final = 202
GOODBYE: Final = 203
CNAME: Final = 1
MOST_BLOCKS: Final = 31
NTP_EPOCH_S: Final = 2_208_988_800
"""From 1900, where NTP begins, to 1970."""
_LEAST_LOST, _MOST_LOST = -(1 << 23), (1 << 23) - 1


class RtcpError(ValueError):
    """Octets that are no RTCP; the message says where."""


@dataclass(frozen=True, slots=True)
class SenderReport:
    """What a sender says of its own stream (§6.4.1)."""

    ssrc: int
    ntp: int
    """64 bits, seconds since 1900 in the upper half."""
    timestamp: int
    """RTP timestamp of the same moment."""
    packets: int
    octets: int

    @property
    def time_ns(self) -> int:
        """The moment, UTC in nanoseconds; 0: the sender has no clock."""
        if self.ntp == 0:
            return 0
        seconds = (self.ntp >> 32) - NTP_EPOCH_S
        seconds += (1 << 32) * (seconds < 0)  # after the wrap in 2036
        return seconds * 1_000_000_000 + ((self.ntp & 0xFFFFFFFF) * 1_000_000_000 >> 32)


@dataclass(frozen=True, slots=True)
class Name:
    """The CNAME of a source (§6.5.1)."""

    ssrc: int
    cname: str


@dataclass(frozen=True, slots=True)
class Goodbye:
    """Sources that leave (§6.6)."""

    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says of a source (§6.4.1)."""

    ssrc: int
    fraction_lost: float
    """Of the packets since the report before, 0–1."""
    lost: int
    """Since the beginning; negative where packets came twice."""
    highest: int
    """Sequence number with its wraps in the upper half."""
    jitter: int
    """Timestamp units."""
    last_report: int = 0
    """Middle 32 bits of the NTP time of the last sender report; 0: there was none."""
    delay: int = 0
    """Since that came, in 1/65536 s."""


Packet = SenderReport | Name | Goodbye | ReportBlock


def parse(data: bytes) -> Iterator[Packet]:
    """Yield what a compound packet holds that is known here; other types are passed over.

    Raises:
        RtcpError: a length or a version is wrong; what came before it was yielded.
    """
    at = 0
    while at < len(data):
        if at + 4 > len(data):
            raise RtcpError(f"octet {at}: no whole header")
        flags, kind, words = struct.unpack_from("!BBH", data, at)
        end = at + 4 + 4 * words
        if flags >> 6 != 2 or end > len(data):
            raise RtcpError(
                f"octet {at}: version {flags >> 6}, {4 * words} octets announced, {len(data) - at - 4} there"
            )
        try:
            yield from _parse_one(kind, flags & 31, data[at + 4 : end])
        except (struct.error, IndexError):
            raise RtcpError(f"octet {at}: packet of type {kind} is too short") from None
        at = end


def _parse_one(kind: int, count: int, body: bytes) -> Iterator[Packet]:
    if kind == SENDER_REPORT:
        yield SenderReport(*struct.unpack_from("!IQIII", body))
        yield from _blocks(body, 24, count)
    elif kind == RECEIVER_REPORT:
        yield from _blocks(body, 4, count)
    elif kind == SOURCE_DESCRIPTION:
        yield from _names(body, count)
    elif kind == GOODBYE:
        yield Goodbye(struct.unpack_from(f"!{count}I", body))


def _blocks(body: bytes, at: int, count: int) -> Iterator[ReportBlock]:
    for offset in range(at, at + 24 * count, 24):
        ssrc, loss, highest, jitter, last_report, delay = struct.unpack_from("!6I", body, offset)
        lost = (loss & 0xFFFFFF) - ((loss & 0x800000) << 1)
        yield ReportBlock(ssrc, (loss >> 24) / 256, lost, highest, jitter, last_report, delay)


def _names(body: bytes, count: int) -> Iterator[Name]:
    at = 0
    for _ in range(count):
        (ssrc,) = struct.unpack_from("!I", body, at)
        at += 4
        while kind := body[at]:
            text = body[at + 2 : at + 2 + body[at + 1]]
            if kind == CNAME:
                yield Name(ssrc, text.decode("utf-8", "replace"))
            at += 2 + body[at + 1]
        at += 4 - at % 4


def report(ssrc: int, cname: str, blocks: Sequence[ReportBlock]) -> bytes:
    """A receiver report with our CNAME, as every compound packet needs it (§6.1).

    Args:
        ssrc: ours.
        blocks: at most 31.
    """
    body = b"".join(map(_block, blocks[:MOST_BLOCKS]))
    return _packet(RECEIVER_REPORT, len(blocks[:MOST_BLOCKS]), struct.pack("!I", ssrc) + body) + _description(
        ssrc, cname
    )


def goodbye(ssrc: int, cname: str) -> bytes:
    """An empty report and BYE (§6.6)."""
    return report(ssrc, cname, ()) + _packet(GOODBYE, 1, struct.pack("!I", ssrc))


def _block(block: ReportBlock) -> bytes:
    lost = max(_LEAST_LOST, min(block.lost, _MOST_LOST)) & 0xFFFFFF
    fraction = max(0, min(int(block.fraction_lost * 256), 255))
    numbers = block.ssrc, fraction << 24 | lost, block.highest, block.jitter, block.last_report, block.delay
    return struct.pack("!6I", *(number & 0xFFFFFFFF for number in numbers))


def _description(ssrc: int, cname: str) -> bytes:
    text = cname.encode()[:255]
    chunk = struct.pack("!IBB", ssrc, CNAME, len(text)) + text
    return _packet(SOURCE_DESCRIPTION, 1, chunk + bytes(4 - len(chunk) % 4))


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body
