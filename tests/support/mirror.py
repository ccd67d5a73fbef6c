"""Captures as a mirror port gives them, octet by octet: Ethernet, VLAN tags, IP fragments, TCP."""

import struct

from rtp import ip
from rtp.pcap import record
from srs.sip.address import host_port

START_NS = 1_790_000_000_000_000_000
MS = 1_000_000
ALICE, BOB = "192.0.2.1", "192.0.2.2"
ETHERNET_HEADER = bytes(12)


def ip_packet(payload, source, destination):
    """An IP packet with a UDP datagram."""
    return record(payload, source, destination, 0)[16:]


def fragments(packet, size, identification):
    """An IPv4 or IPv6 packet cut into fragments of `size` octets."""
    four = packet[0] >> 4 == 4
    header, body = (packet[:20], packet[20:]) if four else (packet[:40], packet[40:])
    for offset in range(0, len(body), size):
        part, more = body[offset : offset + size], offset + size < len(body)
        if four:
            place = struct.pack("!HHH", 20 + len(part), identification, more << 13 | offset // 8)
            yield header[:2] + place + header[8:10] + bytes(2) + header[12:] + part
        else:
            extension = struct.pack("!BBHI", header[6], 0, offset | more, identification)
            yield header[:4] + struct.pack("!HB", 8 + len(part), 44) + header[7:] + extension + part


def segment(payload, source, destination, sequence, flags=0x18):
    """An IPv4 packet with a TCP segment."""
    tcp = (
        struct.pack("!HHIIBBHHH", source[1], destination[1], sequence & 0xFFFFFFFF, 0, 0x50, flags, 8192, 0, 0)
        + payload
    )
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0)
    return head + ip.pack(source[0]) + ip.pack(destination[0]) + tcp


def framed(packet, tags=()):
    """An Ethernet frame."""
    vlans = b"".join(struct.pack("!HH", kind, number) for kind, number in tags)
    return ETHERNET_HEADER + vlans + (b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd") + packet


def pcap(frames, *, order="<", nanoseconds=False, link=1):
    """A capture of (milliseconds, octets)."""
    unit = 1 if nanoseconds else 1000
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    records = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 262144, link)]
    for ms, octets in frames:
        seconds, fraction = divmod(START_NS + round(ms * MS), 1_000_000_000)
        records.append(struct.pack(f"{order}IIII", seconds, fraction // unit, len(octets), len(octets)) + octets)
    return b"".join(records)


class Call:
    """An ordinary call of G.711 µ-law: packets as (milliseconds, payload, source, destination)."""

    def __init__(self, call_id, ports=(40_000, 40_000), at_ms=0, parties=("alice", "bob"), hosts=(ALICE, BOB)):
        self.call_id, self.ports, self.at_ms, self.parties, self.hosts = call_id, ports, at_ms, parties, hosts
        self.sip, self.rtp = [], []
        self.codes = [[], []]

    def _message(self, ms, start, cseq, *, from_callee=False, sdp=None, filler=0):
        caller, callee = (f"<sip:{name}@example.com>" for name in self.parties)
        lines = [
            start,
            f"Via: SIP/2.0/UDP {host_port((self.hosts[from_callee], 5060))};branch=z9hG4bK{len(self.sip)}",
            f"From: {caller};tag=a",
            f"To: {callee}" + (";tag=b" if not start.startswith("INVITE") else ""),
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq}",
            *([f"X-Filler: {'x' * filler}"] if filler else []),
            *(["Content-Type: application/sdp"] if sdp else []),
            f"Content-Length: {len(sdp or '')}",
        ]
        payload = ("\r\n".join([*lines, "", ""]) + (sdp or "")).encode()
        ends = [(host, 5060) for host in self.hosts]
        self.sip.append((self.at_ms + ms, payload, ends[from_callee], ends[not from_callee]))

    def _sdp(self, side):
        here = f"IN IP{6 if ':' in self.hosts[side] else 4} {self.hosts[side]}"
        lines = ["v=0", f"o=- 1 1 {here}", "s=-", f"c={here}", "t=0 0", f"m=audio {self.ports[side]} RTP/AVP 0", ""]
        return "\r\n".join(lines)

    def set_up(self, filler=0):
        self._message(0, "INVITE sip:bob@example.com SIP/2.0", "1 INVITE", sdp=self._sdp(0), filler=filler)
        self._message(5, "SIP/2.0 180 Ringing", "1 INVITE", from_callee=True)
        self._message(10, "SIP/2.0 200 OK", "1 INVITE", from_callee=True, sdp=self._sdp(1))
        self._message(15, "ACK sip:bob@example.com SIP/2.0", "1 ACK")
        return self

    def talk(self, codes, first_ms=20):
        """Both speak: `codes` are µ-law codes of caller and callee, (packets, 160)."""
        self.codes = codes
        for side, own in enumerate(codes):
            for index, payload in enumerate(own):
                header = struct.pack("!BBHII", 0x80, 0, 65_500 + index & 0xFFFF, 160 * index, 7 + side)
                ends = [(host, port) for host, port in zip(self.hosts, self.ports, strict=True)]
                when = self.at_ms + first_ms + 20 * index + side
                self.rtp.append((when, header + payload.tobytes(), ends[side], ends[1 - side]))
        return self

    def end(self, ms):
        self._message(ms, "BYE sip:alice@example.com SIP/2.0", "2 BYE")
        self._message(ms + 2, "SIP/2.0 200 OK", "2 BYE", from_callee=True)
        return self

    def packets(self):
        """(milliseconds, IP packet) of everything, in order of time."""
        both = sorted([*self.sip, *self.rtp], key=lambda item: item[0])
        return [(ms, ip_packet(payload, source, destination)) for ms, payload, source, destination in both]
