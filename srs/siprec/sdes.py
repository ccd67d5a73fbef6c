"""Keys of SRTP in session descriptions: a=crypto (RFC 4568)."""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field

from rtp.srtp import SUITES, Key, Suite
from srs.siprec.sdp import MediaLine

TRANSPORTS = frozenset({"RTP/SAVP", "RTP/SAVPF"})
_LINE = re.compile(r"(\d{1,9})\s+(\S+)\s+(\S+)(?:\s+(.*))?")
_INLINE = re.compile(
    r"inline:([A-Za-z0-9+/]+={0,2})(?:\|(?:2\^(\d{1,2})|(\d{1,15})))?(?:\|(\d{1,39}):(\d{1,3}))?", re.IGNORECASE
)
_LONGEST_LIFETIME = 48
"""Bits: packets that one key may protect (RFC 3711 §9.2)."""
_LONGEST_MKI = 128
_WINDOW_HINT = "WSH="
"""The one session parameter that asks nothing of us (RFC 4568 §6.3.7); any other is understood by nobody here."""


@dataclass(frozen=True, slots=True)
class Crypto:
    """One a=crypto line that can be taken."""

    tag: str
    suite: Suite
    keys: tuple[Key, ...] = field(repr=False)
    """Of who wrote the line; more than one are told apart by their MKIs."""

    def __str__(self) -> str:
        return f"{self.tag} {self.suite.name} {';'.join(map(_inline, self.keys))}"


def is_secure(line: MediaLine) -> bool:
    """Tell whether an m-line is SRTP with keys in the description; that with keys by DTLS has another transport."""
    return line.transport in TRANSPORTS


def acceptable(line: MediaLine) -> tuple[Crypto, ...]:
    """Return the a=crypto lines of an m-line that can be taken, as they are preferred by who wrote them."""
    return tuple(crypto for value in line.values("crypto") if (crypto := _parse(value)))


def answered(line: MediaLine, previous: MediaLine | None, random: Callable[[int], bytes]) -> Crypto | None:
    """Return what is answered to an offered SRTP line: its first acceptable suite, our own key; None: there is none.

    Args:
        previous: our last answer to this line; while the suite stays, so does our key.
        random: gives so many octets for a key.
    """
    chosen = next(iter(acceptable(line)), None)
    if chosen is None:
        return None
    for before in acceptable(previous) if previous else ():
        if (before.tag, before.suite) == (chosen.tag, chosen.suite):
            return before
    return Crypto(chosen.tag, chosen.suite, (Key(chosen.suite, random(chosen.suite.octets)),))


def agreed(theirs: MediaLine | None, ours: MediaLine) -> tuple[Key, ...]:
    """Return the keys that the other side sends with, by the tag in the answer; none: plain RTP."""
    tags = {crypto.tag for crypto in acceptable(ours)}
    chosen = [crypto for crypto in acceptable(theirs) if crypto.tag in tags] if theirs else []
    return chosen[0].keys if chosen and is_secure(ours) and ours.port else ()


def _parse(value: str) -> Crypto | None:
    """Read `tag suite inline:…[;inline:…] [session parameters]`; None: broken, or not understood as a whole."""
    found = _LINE.fullmatch(value.strip())
    suite = SUITES.get(found[2].upper()) if found else None
    if found is None or suite is None or not all(map(_is_understood, (found[4] or "").split())):
        return None
    keys = tuple(_key(suite, text) for text in found[3].split(";"))
    known = tuple(key for key in keys if key)
    told_apart = len(keys) == 1 or len({key.mki for key in known if key.mki}) == len(keys)
    return Crypto(found[1], suite, known) if len(known) == len(keys) and told_apart else None


def _is_understood(parameter: str) -> bool:
    """A parameter with a minus may be ignored (RFC 4568 §6.3)."""
    return parameter.startswith("-") or parameter.upper().startswith(_WINDOW_HINT)


def _key(suite: Suite, text: str) -> Key | None:
    """Read `inline:key and salt|lifetime|MKI:length`; None: not of this suite, or against RFC 4568 §6.1."""
    found = _INLINE.fullmatch(text)
    if found is None:
        return None
    octets, power, packets, mki, size = found.groups()
    lifetime = 1 << int(power) if power else int(packets or 1)
    if not 1 <= lifetime <= 1 << _LONGEST_LIFETIME or not _fits(mki, size):
        return None
    try:
        return Key(suite, b64decode(octets.rstrip("=") + "=" * (-len(octets.rstrip("=")) % 4)), _mki(mki, size))
    except (binascii.Error, ValueError):
        return None


def _fits(mki: str | None, size: str | None) -> bool:
    return mki is None or size is None or (1 <= int(size) <= _LONGEST_MKI and int(mki) < 1 << 8 * int(size))


def _mki(mki: str | None, size: str | None) -> bytes:
    return int(mki).to_bytes(int(size)) if mki and size else b""


def _inline(key: Key) -> str:
    mki = f"|{int.from_bytes(key.mki)}:{len(key.mki)}" if key.mki else ""
    return f"inline:{b64encode(key.octets).decode()}{mki}"
