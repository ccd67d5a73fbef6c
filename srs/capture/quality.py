"""Is anything heard of a call while it is still running? Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from srs.siprec.sdp import Sdp


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of silence that are borne; 0: any."""

    no_audio_s: float
    one_way_s: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong, in words, or None."""

    no_audio: str | None = None
    one_way: str | None = None


def audible(answer: Sdp | None) -> list[int]:
    """The ports of our answer at which audio is to come: those of paused and removed streams are not."""
    lines = answer.media if answer else ()
    return [line.port for line in lines if line.kind == "audio" and line.port and line.direction == "recvonly"]


def judge(silences: Sequence[float], limits: Limits) -> Verdict:
    """Judge a call.

    Args:
        silences: for each stream that is to be heard, the seconds since its last packet.
    """
    if not silences:
        return Verdict()
    if 0 < limits.no_audio_s <= min(silences):
        return Verdict(no_audio=f"nothing came on {len(silences)} streams for {limits.no_audio_s:g} s")
    silent = sum(silence >= limits.one_way_s for silence in silences)
    if limits.one_way_s > 0 and 0 < silent < len(silences):
        return Verdict(one_way=f"{silent} of {len(silences)} streams silent for {limits.one_way_s:g} s")
    return Verdict()
