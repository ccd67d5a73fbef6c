"""Make the media that the sipp scenarios of this folder play: an Ethernet capture with the RTP of two legs.

    python captures/legs_pcap.py OUT.pcap [SECONDS]

The caller hums 440 Hz, the callee 620 Hz, G.711 µ-law, 20 ms a packet. sipp adds its own ports to those of the capture.
"""

import struct
import sys
from pathlib import Path

import numpy as np

from rtp.codecs import encode
from rtp.send import Stream

PORT = 6000
TONES_HZ = (440, 620)
FRAME = 160


def tone(frequency: float, seconds: float) -> np.ndarray:
    """int16 at 8 kHz, whole packets of 20 ms."""
    time = np.arange(int(seconds * 50) * FRAME) / 8000
    return np.round(8000 * np.sin(2 * np.pi * frequency * time)).astype(np.int16)


def frames(seconds: float) -> list[tuple[float, bytes]]:
    """Ethernet frames of both legs with the time at which each leaves."""
    out = []
    for leg, frequency in enumerate(TONES_HZ):
        payload = [frame.tobytes() for frame in encode("PCMU", tone(frequency, seconds)).reshape(-1, FRAME)]
        stream = Stream(payload, payload_type=0, ssrc=0x1000 + leg, sequence=100, timestamp=0, step=FRAME)
        out += [(0.02 * i, ethernet(stream.packet(i), PORT + 2 * leg)) for i in range(len(payload))]
    return sorted(out, key=lambda frame: frame[0])


def ethernet(payload: bytes, port: int) -> bytes:
    udp = struct.pack("!HHHH", port, port, 8 + len(payload), 0) + payload
    ip = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes([127, 0, 0, 1]), bytes([127, 0, 0, 1])
    )
    return bytes(12) + b"\x08\x00" + ip + udp


def main(out: Path, seconds: float = 2.0) -> None:
    with out.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for time, frame in frames(seconds):
            file.write(struct.pack("<IIII", int(time), round(time % 1 * 1e6), len(frame), len(frame)) + frame)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(float(argument) for argument in sys.argv[2:3]))
