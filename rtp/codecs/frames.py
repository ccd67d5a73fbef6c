"""Payloads taken apart into the frames of a speech codec (RFC 3551 §4.5)."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of a payload, in order of play."""

    frames: list[bytes]
    """As the decoder takes them; empty: silence (comfort noise, nothing to send)."""
    whole: bool = True
    """False: there is something in the payload that is no frame."""


Split = Callable[[bytes], Frames]

_SID_OCTETS = 2  # RFC 3551 §4.5.6
_G723_OCTETS = (24, 20, 4, 1)  # by the lowest two bits (RFC 3551 §4.5.3): speech, speech, SID, nothing
_G723_SPEECH = 20


def every(size: int) -> Split:
    """Return what takes payloads apart into frames of one size."""

    def split(payload: bytes) -> Frames:
        ends = range(size, len(payload) + 1, size)
        return Frames([payload[end - size : end] for end in ends], len(payload) % size == 0)

    return split


def g729(payload: bytes) -> Frames:
    """Return frames of 10 octets, the last perhaps a description of silence of 2 (annex B)."""
    speech = _g729_speech(payload)
    rest = len(payload) % 10
    return Frames([*speech.frames, b""], True) if rest == _SID_OCTETS else speech


_g729_speech = every(10)


def g723(payload: bytes) -> Frames:
    """Return frames of 24 or 20 octets; those that describe silence are silence."""
    frames: list[bytes] = []
    at = 0
    while at < len(payload):
        size = _G723_OCTETS[payload[at] & 3]
        if at + size > len(payload):
            return Frames(frames, whole=False)
        frames.append(payload[at : at + size] if size >= _G723_SPEECH else b"")
        at += size
    return Frames(frames)
