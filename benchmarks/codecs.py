"""What each codec costs to finalise: a call of two legs, a packet every 20 ms, beside the same in G.711."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from benchmarks.capture import Measured
from benchmarks.finalise import G711, Kind, finalising
from srs.siprec import src_srtp

SECONDS = 60
_CODES = np.random.default_rng(3)


@dataclass(frozen=True, slots=True)
class _Coded:
    """A codec that PyAV encodes."""

    name: str
    encoder: str
    rate: int
    payload_type: int
    rtpmap: str
    bit_rate: int = 0

    def kind(self) -> Kind:
        attributes = (f"rtpmap:{self.payload_type} {self.rtpmap}",)
        clock = int(self.rtpmap.split("/")[1])
        return Kind(self.name, self.payload_type, attributes, self._frames(), clock // 50)

    def _frames(self) -> list[bytes]:
        """Packets of 20 ms, of a second of sound that rises and falls."""
        context = cast("AudioCodecContext", av.CodecContext.create(self.encoder, "w"))
        context.sample_rate, context.layout, context.format = self.rate, "mono", "s16"
        context.bit_rate = self.bit_rate or 64_000
        t = np.arange(2 * self.rate) / self.rate
        sound = np.rint(6000 * np.sin(2 * np.pi * 200 * t) * np.sin(2 * np.pi * t)).astype(np.int16)
        packets = []
        for at in range(0, len(sound), self.rate // 50):
            part = sound[at : at + self.rate // 50].reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
            frame.sample_rate, frame.pts = self.rate, at
            packets += [bytes(packet) for packet in context.encode(frame)]
        return packets


_ENCODED = (
    _Coded("G.722", "g722", 16_000, 9, "G722/8000"),
    _Coded("G.726-32", "g726le", 8000, 96, "G726-32/8000", 32_000),
    _Coded("Opus, 24 kbit/s", "libopus", 48_000, 96, "opus/48000/2", 24_000),
)


def _random(name: str, payload_type: int, attributes: tuple[str, ...], octets: int, step: int) -> Kind:
    """A codec that nothing here encodes: random frames cost the decoder no less."""
    frames = [row.tobytes() for row in _CODES.integers(0, 256, (50, octets), dtype=np.uint8)]
    return Kind(name, payload_type, attributes, frames, step)


def _amr(payload: bytes) -> bytes:
    return b"\xf0\x3c" + payload


def _amr_wb(payload: bytes) -> bytes:
    return b"\xf0\x44" + payload


def _gsm(payload: bytes) -> bytes:
    return bytes([0xD0 | payload[0] & 0x0F]) + payload[1:]


def kinds() -> Iterator[Kind]:
    """The codecs, G.711 first."""
    yield G711
    yield from (each.kind() for each in _ENCODED)
    yield _random("G.729", 18, (), 20, 160)
    ilbc = _random("iLBC, 20 ms", 97, ("rtpmap:97 iLBC/8000", "fmtp:97 mode=20"), 38, 160)
    yield _mapped(ilbc, lambda payload: payload[:-1] + bytes([payload[-1] & 0xFE]))
    amr = _random("AMR, 12.2 kbit/s", 98, ("rtpmap:98 AMR/8000", "fmtp:98 octet-align=1"), 31, 160)
    yield _mapped(amr, _amr)
    wide = _random("AMR-WB, 23.85 kbit/s", 99, ("rtpmap:99 AMR-WB/16000", "fmtp:99 octet-align=1"), 60, 320)
    yield _mapped(wide, _amr_wb)
    yield _mapped(_random("GSM", 3, (), 33, 160), _gsm)
    yield _random("L16, 16 kHz", 100, ("rtpmap:100 L16/16000",), 640, 320)
    yield _random("G.726-40", 102, ("rtpmap:102 G726-40/8000",), 100, 160)
    for suite in ("AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM"):
        crypto = src_srtp.offered(suite)
        yield Kind(f"G.711, {suite}", 0, (f"crypto:{crypto}",), G711.frames, 160, protect=src_srtp.protector(crypto))


def _mapped(kind: Kind, change: Callable[[bytes], bytes]) -> Kind:
    return Kind(kind.name, kind.payload_type, kind.attributes, [change(frame) for frame in kind.frames], kind.step)


def measure_codecs(directory: Path) -> list[Measured]:
    """Measure them all."""
    return [finalising(directory, SECONDS, kind)() for kind in kinds()]
