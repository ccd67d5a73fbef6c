"""Captures with a known truth: SIP and RTP of a call in a few words, written as the recorder writes them."""

import struct
from pathlib import Path

import numpy as np

from rtp.codecs import a_law, mu_law
from rtp.pcap import HEADER, record
from srs.siprec import body

START_NS = 1_790_000_000_000_000_000
MS = 1_000_000
HERE, THERE = "127.0.0.1", "127.0.0.2"
PORTS = (40_000, 40_002, 40_004)
CLIENT = (5060, 50_000, 50_002, 50_004)
TABLES = {0: mu_law(), 8: a_law()}
RTPMAPS = {96: ["a=rtpmap:96 opus/48000/2"], 97: ["a=rtpmap:97 EVS/16000"], 101: ["a=rtpmap:101 telephone-event/8000"]}
AUDIO = ("audio", (0, 8, 101), "sendonly")
HELD = ("audio", (0, 8, 101), "inactive")


class Scene:
    """A capture in the making; time is in milliseconds since our 200."""

    def __init__(self):
        self._records = []
        self._cseq = 0

    def datagram(self, ms, payload, source, destination):
        time_ns = START_NS + round(ms * MS)
        self._records.append((time_ns, record(payload, source, destination, time_ns)))

    def request(self, ms, method, *, sdp="", headers=(), metadata=None):
        self._cseq += method != "ACK"
        lines = [f"{method} sip:srs@{HERE} SIP/2.0", *self._headers(method), *headers]
        self.datagram(ms, _message(lines, sdp, metadata), (THERE, CLIENT[0]), (HERE, 5060))

    def response(self, ms, method, *, sdp="", status="200 OK"):
        self.datagram(
            ms, _message([f"SIP/2.0 {status}", *self._headers(method)], sdp), (HERE, 5060), (THERE, CLIENT[0])
        )

    def _headers(self, method):
        return (
            f"Via: SIP/2.0/UDP {THERE};branch=z9hG4bK-{self._cseq}",
            f"From: <sip:src@{THERE}>;tag=1",
            f"To: <sip:srs@{HERE}>;tag=2",
            "Call-ID: 1@example.com",
            f"CSeq: {self._cseq} {method}",
            f"Contact: <sip:here@{THERE}>",
        )

    def offer(self, ms, *media, metadata=None):
        """An INVITE, our 200 and the ACK; `media` are (kind, payload types, direction)."""
        self.request(ms - 2, "INVITE", sdp=description(THERE, media, CLIENT[1:], {}), metadata=metadata)
        self.response(ms, "INVITE", sdp=description(HERE, media, PORTS, {"sendonly": "recvonly"}))
        self.request(ms + 1, "ACK")

    def bye(self, ms):
        self.request(ms, "BYE")
        self.response(ms + 1, "BYE")

    def rtp(self, ms, leg, datagram, *, source=None):
        source = source or (THERE, CLIENT[1 + leg])
        self.datagram(ms, bytes(datagram), source, (HERE, PORTS[leg]))

    def write(self, path: Path, *, cut=0):
        octets = HEADER + b"".join(octets for _, octets in sorted(self._records, key=lambda item: item[0]))
        path.write_bytes(octets[: len(octets) - cut])
        return path


def _message(lines, sdp, metadata=None):
    kind, content = "application/sdp", sdp.encode()
    if metadata:
        kind, content = body.build(content, metadata)
    kinds = [f"Content-Type: {kind}"] if content else []
    return "\r\n".join([*lines, *kinds, f"Content-Length: {len(content)}", "", ""]).encode() + content


def description(address, media, ports, directions):
    lines = ["v=0", f"o=- 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0"]
    for label, ((kind, types, direction), port) in enumerate(zip(media, ports, strict=False), start=1):
        lines += [f"m={kind} {port} RTP/AVP {' '.join(map(str, types))}", f"a=label:{label}"]
        lines += [line for number in types for line in RTPMAPS.get(number, ())]
        lines += [f"a={directions.get(direction, direction)}"]
    return "\r\n".join([*lines, ""])


def speech(seconds, seed):
    """Noise as codes of G.711: (packets, 160)."""
    return np.random.default_rng(seed).integers(0, 256, (round(seconds * 50), 160), dtype=np.uint8)


def stream(codes, *, payload_type=0, ssrc=7, sequence=65_500, timestamp=2**32 - 5000, step=None):
    """RTP packets around payloads, as RFC 3550 §5.1 lays them out."""
    step = step or codes.shape[1]
    return [
        struct.pack(">BBHII", 0x80, payload_type, (sequence + i) & 0xFFFF, (timestamp + i * step) & 0xFFFFFFFF, ssrc)
        + payload.tobytes()
        for i, payload in enumerate(codes)
    ]


def call(*, bye=4200.0):
    """A two-party call of 4 s that began 100 ms after the 200, with the same SSRC on both legs; the codes of each."""
    scene, codes = Scene(), [speech(4, seed) for seed in (1, 2)]
    scene.offer(0, AUDIO, AUDIO)
    for leg, payload_type in enumerate((0, 8)):
        for index, datagram in enumerate(stream(codes[leg], payload_type=payload_type)):
            scene.rtp(100 + 20 * index + 5 * leg, leg, datagram)
    if bye is not None:
        scene.bye(bye)
    return scene, codes


def truth(codes, payload_type, at_ms, length_s, kept=None):
    """The samples of a leg whose packets `kept` begin at `at_ms`."""
    sound = TABLES[payload_type][codes].astype(np.int16)
    if kept is not None:
        sound[~kept] = 0
    leg = np.zeros(round(length_s * 8000), np.int16)
    first = round(at_ms * 8)
    part = sound.ravel()[: len(leg) - first]
    leg[first : first + len(part)] = part
    return leg
