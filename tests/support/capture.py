"""Captures of a call in a few words: offers, packets, the end."""

import struct
from pathlib import Path

from rtp.pcap import HEADER, record

START_NS = 1_790_000_000_000_000_000
MS = 1_000_000
HERE, THERE = "127.0.0.1", "127.0.0.2"
PORTS = (40_000, 40_002)
SOURCES = (50_000, 50_002)


class Capture:
    """Times are milliseconds since our 200; media are the lines below each m-line, its own first: `audio RTP/AVP 0`."""

    def __init__(self) -> None:
        self._records: list[tuple[int, bytes]] = []
        self._cseq = 0

    def offer(self, ms: float, *media: tuple[str, ...], answered: tuple[tuple[str, ...], ...] = ()) -> None:
        """An INVITE and our 200; `answered` has lines that are put into our answer in place of a=crypto."""
        self._cseq += 1
        self._sip(ms - 2, "INVITE sip:srs@127.0.0.1 SIP/2.0", "INVITE", _sdp(THERE, media, SOURCES))
        ours = [
            (*(line for line in lines if not line.startswith("crypto")), *extra)
            for lines, extra in zip(media, answered or ((),) * len(media), strict=True)
        ]
        sdp = _sdp(HERE, ours, PORTS).replace("sendonly", "recvonly")
        self._sip(ms, "SIP/2.0 200 OK", "INVITE", sdp, sent=True)

    def bye(self, ms: float) -> None:
        self._cseq += 1
        self._sip(ms, "BYE sip:srs@127.0.0.1 SIP/2.0", "BYE")

    def rtp(self, ms: float, leg: int, octets: bytes, *, control: bool = False) -> None:
        self._datagram(ms, octets, (THERE, SOURCES[leg] + control), (HERE, PORTS[leg] + control))

    def write(self, path: Path) -> Path:
        path.write_bytes(HEADER + b"".join(octets for _, octets in sorted(self._records, key=lambda item: item[0])))
        return path

    def _datagram(self, ms: float, octets: bytes, source: tuple[str, int], destination: tuple[str, int]) -> None:
        time_ns = START_NS + round(ms * MS)
        self._records.append((time_ns, record(octets, source, destination, time_ns)))

    def _sip(self, ms: float, start: str, method: str, sdp: str = "", *, sent: bool = False) -> None:
        lines = [
            start,
            f"Via: SIP/2.0/UDP {THERE};branch=z9hG4bK{self._cseq}",
            f"From: <sip:src@{THERE}>;tag=1",
            f"To: <sip:srs@{HERE}>;tag=2",
            "Call-ID: 1@example.com",
            f"CSeq: {self._cseq} {method}",
            f"Contact: <sip:here@{THERE}>",
            *(["Content-Type: application/sdp"] if sdp else []),
            f"Content-Length: {len(sdp)}",
        ]
        ends = (THERE, 5060), (HERE, 5060)
        self._datagram(ms, "\r\n".join([*lines, "", sdp]).encode(), *(ends[::-1] if sent else ends))


def _sdp(address: str, media, ports: tuple[int, ...]) -> str:
    lines = ["v=0", f"o=- 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0"]
    for label, ((line, *attributes), port) in enumerate(zip(media, ports, strict=False), start=1):
        kind, _, rest = line.partition(" ")
        lines += [f"m={kind} {port} {rest}", *(f"a={each}" for each in (*attributes, f"label:{label}", "sendonly"))]
    return "\r\n".join([*lines, ""])


def packet(index: int, payload: bytes, kind: int = 0, *, step: int = 160, ssrc: int = 7, first: int = 0) -> bytes:
    """An RTP packet of a stream that began with sequence number `first`."""
    sequence, timestamp = (first + index) & 0xFFFF, index * step & 0xFFFFFFFF
    return struct.pack("!BBHII", 0x80, kind, sequence, timestamp, ssrc) + payload
