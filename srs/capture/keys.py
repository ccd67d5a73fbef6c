"""The SRTP keys of a call on their way from signalling by the keeper to a capture worker: as JSON and back."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field

from rtp.srtp.keys import SUITES, Key
from srs.capture.channel import Message
from srs.siprec import sdes
from srs.siprec.sdp import Sdp


@dataclass(frozen=True, slots=True)
class Agreed:
    """What protects the RTCP of a stream; None and none: nothing does."""

    ours: Key | None = field(repr=False)
    theirs: tuple[Key, ...] = field(repr=False)


def dump(offered: Sdp, answered: Sdp) -> Message:
    """The keys of each stream that is received, by RTP port."""
    found = {}
    for theirs, ours in zip(offered.media, answered.media, strict=False):
        keys = sdes.agreed(theirs, ours)
        own = sdes.acceptable(ours)[0].keys[:1] if keys else ()
        if ours.port:
            found[str(ours.port)] = {"ours": _dump(own), "theirs": _dump(keys)}
    return found


def load(message: Message) -> dict[int, Agreed]:
    """RTP port to its keys."""
    return {
        int(port): Agreed(next(iter(_load(each["ours"])), None), _load(each["theirs"]))
        for port, each in message.items()
    }


def _dump(keys: Sequence[Key]) -> list[list[str]]:
    return [[key.suite.name, b64encode(key.octets).decode(), key.mki.hex()] for key in keys]


def _load(rows: list[list[str]]) -> tuple[Key, ...]:
    return tuple(Key(SUITES[name], b64decode(octets), bytes.fromhex(mki)) for name, octets, mki in rows)
