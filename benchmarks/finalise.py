"""What it costs to make a wav file of a capture: calls of two G.711 legs, a packet every 20 ms."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.capture import Measured, cheapest
from rtp.pcap import HEADER, record
from rtp.send import Stream
from srs.archive.audio import write
from srs.archive.finalise import channels, finalise
from srs.archive.heap import keep_freed

DURATIONS_S = (10, 300, 3600)
PACKET_NS = 20_000_000
FRAME = 160
START_NS = 1_790_000_000_000_000_000
CLIENT, RECORDER = ("192.0.2.1", 5060), ("192.0.2.2", 5060)
REPEAT = 5
PORTS = (40_000, 40_002)


@dataclass(frozen=True, slots=True)
class Kind:
    """What the legs of a call send."""

    name: str
    payload_type: int
    attributes: tuple[str, ...]
    """Of its m-lines."""
    frames: Sequence[bytes]
    """Payloads of 20 ms, repeated."""
    step: int
    """Timestamp units of a packet."""
    protect: Callable[[bytes], bytes] = bytes
    """Makes SRTP of RTP, where a=crypto is among the attributes."""

    @property
    def transport(self) -> str:
        return "RTP/SAVP" if any(each.startswith("crypto:") for each in self.attributes) else "RTP/AVP"


_CODES = np.random.default_rng(1).integers(0, 256, (1000, FRAME), dtype=np.uint8)
G711 = Kind("G.711", 0, (), [frame.tobytes() for frame in _CODES], FRAME)


def finalising(directory: Path, seconds: int, kind: Kind = G711) -> Callable[[], Measured]:
    """Write the capture of a call, and return what measures how it is finalised: several times one after the other, as
    the process does that has many calls to finalise, and of those the cheapest."""
    keep_freed()  # as the process does that finalises
    capture, out = directory / f"call-{seconds}.pcap", directory / "call.wav"
    with capture.open("wb") as file:
        file.write(HEADER)
        file.writelines(_call(seconds, kind))
    packets = len(PORTS) * seconds * 1_000_000_000 // PACKET_NS
    what = f"finalise: a call of {seconds} s" + ("" if kind is G711 else f", {kind.name}")
    return lambda: cheapest([Measured(what, *_run(capture, out), packets) for _ in range(REPEAT)])


def _run(capture: Path, out: Path) -> tuple[float, int]:
    out.unlink(missing_ok=True)  # a recording is written into a new file
    begin = time.process_time()
    (recording,) = finalise(capture)
    sound = channels(recording)
    with out.open("wb") as file:
        write(file, "wav", sound.pieces(), len(sound.columns), sound.rate, {})
    return time.process_time() - begin, sum(leg.facts.packets for leg in recording.legs)


def _call(seconds: int, kind: Kind) -> Iterator[bytes]:
    """The records of the call, as the recorder writes them: half a second of one leg, then of the other."""
    end_ns = START_NS + seconds * 1_000_000_000
    invite = _message("INVITE sip:srs@192.0.2.2 SIP/2.0", 1, _sdp("sendonly", "192.0.2.1", kind))
    yield record(invite, CLIENT, RECORDER, START_NS)
    yield record(_message("SIP/2.0 200 OK", 1, _sdp("recvonly", "192.0.2.2", kind)), RECORDER, CLIENT, START_NS)
    legs = [
        Stream(kind.frames, kind.payload_type, ssrc, sequence=65_000, timestamp=0, step=kind.step) for ssrc in (1, 2)
    ]
    for first in range(0, seconds * 50, 25):
        for port, leg in zip(PORTS, legs, strict=True):
            for index in range(first, first + 25):
                time_ns = START_NS + index * PACKET_NS + port
                yield record(kind.protect(leg.packet(index)), (CLIENT[0], port), (RECORDER[0], port), time_ns)
    yield record(_message("BYE sip:srs@192.0.2.2 SIP/2.0", 2), CLIENT, RECORDER, end_ns)
    yield record(_message("SIP/2.0 200 OK", 2), RECORDER, CLIENT, end_ns)


def _sdp(direction: str, address: str, kind: Kind) -> str:
    lines = ["v=0", f"o=- 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0"]
    for label, port in enumerate(PORTS, start=1):
        lines.append(f"m=audio {port} {kind.transport} {kind.payload_type}")
        lines += [f"a={each}" for each in (*kind.attributes, f"label:{label}", direction)]
    return "\r\n".join([*lines, ""])


def _message(start: str, number: int, body: str = "") -> bytes:
    method = "BYE" if number == 2 else "INVITE"
    lines = [
        start,
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-1",
        "From: <sip:src@192.0.2.1>;tag=1",
        "To: <sip:srs@192.0.2.2>;tag=2",
        "Call-ID: bench@example.com",
        f"CSeq: {number} {method}",
        "Contact: <sip:src@192.0.2.1>",
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", body]).encode()
