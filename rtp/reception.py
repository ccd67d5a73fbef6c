"""How well one RTP sender is received, for the reports that go back to it (RFC 3550 §6.4.1). No I/O.

It looks at the last few packets of a stream now and then, not at every one: numbers that come in between are known
from how many there were and how far the sequence has gone on.
"""

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rtp.rtcp import ReportBlock, RtcpError, SenderReport, parse

_RECORD = struct.Struct("<II")
_RECORD_SIZE = 16
_HEADER = struct.Struct("!BBHII")
_IP_SIZE = {4: 20, 6: 40}
_SOURCE_AT = {4: (12, 4, socket.AF_INET), 6: (8, 16, socket.AF_INET6)}


@dataclass(frozen=True, slots=True)
class Seen:
    """A datagram of a capture."""

    time_ns: int
    source: tuple[str, int]
    payload: bytes


def read(record: bytes) -> Seen:
    """A record as `Batch.record` gives it."""
    seconds, nanoseconds = _RECORD.unpack_from(record)
    version = record[_RECORD_SIZE] >> 4
    at, size, family = _SOURCE_AT[version]
    address = record[_RECORD_SIZE + at : _RECORD_SIZE + at + size]
    udp = _RECORD_SIZE + _IP_SIZE[version]
    port = int.from_bytes(record[udp : udp + 2], "big")
    return Seen(seconds * 1_000_000_000 + nanoseconds, (socket.inet_ntop(family, address), port), record[udp + 8 :])


class Reception:
    """One stream as it is received at one port."""

    def __init__(self) -> None:
        self.ssrc: int | None = None
        """Of the sender, as soon as it is heard."""
        self.rtp_source: tuple[str, int] | None = None
        self.rtcp_source: tuple[str, int] | None = None
        self._clock_rate = 8000
        self._first = self._highest = 0
        """Extended sequence numbers."""
        self._before = self._packets = 0
        """Packets at the port before the first of this SSRC, and all."""
        self._reported = 0, 0
        """Expected and received at the last report."""
        self._jitter = 0.0
        self._sender_report = 0, 0
        """Middle 32 bits of its NTP time; when it came, UTC in ns."""

    @property
    def reports_to(self) -> tuple[str, int] | None:
        """Where its RTCP comes from; while none has come, the port after that of its RTP (RFC 3550 §11)."""
        if self.rtcp_source or self.rtp_source is None:
            return self.rtcp_source
        return self.rtp_source[0], min(self.rtp_source[1] + 1, 65535)

    def on_rtp(self, seen: Sequence[Seen], packets: int) -> None:
        """Take note of the last packets that came.

        Args:
            seen: some that came one after the other.
            packets: how many have come at the port in all, these included.
        """
        rtp = [each for each in seen if len(each.payload) >= _HEADER.size and each.payload[0] >> 6 == 2]
        if not rtp:
            return
        headers = [_HEADER.unpack_from(each.payload) for each in rtp]
        *_, sequence, _, ssrc = headers[-1]
        self._packets, self.rtp_source = packets, rtp[-1].source
        if ssrc != self.ssrc:
            self._begin(ssrc, sequence, packets - 1)
        else:
            self._highest += max(0, _signed(sequence - self._highest))
        arrivals = [(each.time_ns, header[3]) for each, header in zip(rtp, headers, strict=True) if header[4] == ssrc]
        self._follow_jitter(arrivals)

    def on_rtcp(self, seen: Seen) -> None:
        """Take note of a datagram at the RTCP port; what is no RTCP is passed over."""
        try:
            packets = list(parse(seen.payload))
        except RtcpError:
            return
        self.rtcp_source = seen.source
        for packet in packets:
            if isinstance(packet, SenderReport):
                self._sender_report = packet.ntp >> 16 & 0xFFFFFFFF, seen.time_ns

    def report(self, time_ns: int) -> ReportBlock | None:
        """What is to be said of the stream now, UTC in nanoseconds; None while nothing has come."""
        if self.ssrc is None:
            return None
        expected, received = self._highest - self._first + 1, self._packets - self._before
        since = expected - self._reported[0], received - self._reported[1]
        self._reported = expected, received
        fraction = (since[0] - since[1]) / since[0] if since[0] > 0 else 0.0
        stamp, came_ns = self._sender_report
        delay = max(0, time_ns - came_ns) * 65536 // 1_000_000_000 if stamp else 0
        lost = expected - received
        return ReportBlock(self.ssrc, max(fraction, 0.0), lost, self._highest, int(self._jitter), stamp, delay)

    def _begin(self, ssrc: int, sequence: int, before: int) -> None:
        self.ssrc, self._first, self._highest, self._before = ssrc, sequence, sequence, before
        self._reported, self._jitter, self._sender_report = (0, 0), 0.0, (0, 0)

    def _follow_jitter(self, arrivals: Sequence[tuple[int, int]]) -> None:
        """RFC 3550 A.8, in timestamp units."""
        for (time_ns, timestamp), (next_ns, next_timestamp) in pairwise(arrivals):
            elapsed = (next_ns - time_ns) * self._clock_rate / 1e9
            step = (next_timestamp - timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
            self._jitter += (abs(elapsed - step) - self._jitter) / 16


def _signed(difference: int) -> int:
    """A difference of sequence numbers, the nearer way round."""
    return (difference + 0x8000) % 0x10000 - 0x8000
