"""AMR and AMR-WB payloads (RFC 4867): octet-aligned and bandwidth-efficient."""

from functools import partial

from rtp.codecs.codec import Codec
from rtp.codecs.frames import Frames, Split

_SPEECH_BITS = {
    "AMR": (95, 103, 118, 134, 148, 159, 204, 244),
    "AMR-WB": (132, 177, 253, 285, 317, 365, 397, 461, 477),
}
"""Of each frame type that is speech."""
_SILENCE_BITS = {"AMR": {8: 39}, "AMR-WB": {9: 40}}
"""Of the frame type that describes silence."""
_EMPTY = {"AMR": frozenset({15}), "AMR-WB": frozenset({14, 15})}
"""Frame types without content."""


def layout(codec: Codec) -> Split | None:
    """Return what takes the payloads of a payload type apart; None: interleaved or with CRC, which nobody sends."""
    given = dict(_parameter(text) for text in codec.fmtp.lower().split(";"))
    if "interleaving" in given or given.get("crc", "0") != "0" or given.get("robust-sorting", "0") != "0":
        return None
    aligned = given.get("octet-align", "0") == "1"
    return partial(_split, codec.name, 8 if aligned else 4, 8 if aligned else 6, 8 if aligned else 1)


def _parameter(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def _split(name: str, request_bits: int, entry_bits: int, unit: int, payload: bytes) -> Frames:
    """Return frames in the storage format (RFC 4867 §5.3), which decoders take.

    Args:
        request_bits: of the codec mode request that a payload begins with.
        entry_bits: of an entry of the table of contents: more follow, frame type (4 bits), quality, padding.
        unit: bits that every frame is a multiple of.
    """
    total, bits = 8 * len(payload), int.from_bytes(payload)
    entries, at = [], request_bits
    more = True
    while more:
        if at + entry_bits > total:
            return Frames([], whole=False)
        entry = bits >> (total - at - 6) & 63
        entries.append((entry >> 1 & 15, bool(entry & 1)))
        more, at = bool(entry & 32), at + entry_bits
    frames: list[bytes] = []
    for kind, good in entries:
        size = _size(name, kind)
        if size is None or at + size > total:
            return Frames(frames, whole=False)
        speech = good and kind < len(_SPEECH_BITS[name])
        frames.append(_stored(kind, bits >> (total - at - size) & (1 << size) - 1, size) if speech else b"")
        at += -(-size // unit) * unit
    return Frames(frames)


def _size(name: str, kind: int) -> int | None:
    """Return the bits of a frame; None: there is no such type."""
    if kind in _EMPTY[name]:
        return 0
    speech = _SPEECH_BITS[name]
    return speech[kind] if kind < len(speech) else _SILENCE_BITS[name].get(kind)


def _stored(kind: int, content: int, size: int) -> bytes:
    octets = -(-size // 8)
    return bytes([kind << 3 | 4]) + (content << (8 * octets - size)).to_bytes(octets)
