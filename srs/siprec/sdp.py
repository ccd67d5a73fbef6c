"""Session descriptions (RFC 8866), read as real clients write them and written as the RFC says.

Attributes stay as they came, in their order; what they mean is read from them on demand. So a codec is echoed in an
answer in the client's own words, and nothing that is not understood gets lost.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from rtp.codecs import STATIC, Codec

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
NOWHERE = frozenset({"0.0.0.0", "::"})
"""Addresses in c= that put a stream on hold (RFC 3264 §8.4); nothing is bound to them here."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_ORDER = {letter: place for place, letter in enumerate("vosiuepcbtrzk?a")}  # RFC 8866 §9; ? stands for unknown lines
_RTPMAP = re.compile(r"(\d+)\s+([^\s/]+)(?:\s*/\s*(\d+))?(?:\s*/\s*(\d+))?")
_HIGHEST_PAYLOAD_TYPE = 127
_HIGHEST_PORT = 65535

Attribute = tuple[str, str | None]
"""Name and value of an a= line; None: there is no colon."""


class SdpError(ValueError):
    """A text that cannot be read as a session description; `line` counts from 1."""

    def __init__(self, line: int, text: str, reason: str) -> None:
        super().__init__(f"line {line}: {reason}: {text[:80]!r}")
        self.line = line
        self.text = text


@dataclass(frozen=True)
class MediaLine:
    """One m-line with the lines below it (RFC 8866 §5.14)."""

    kind: str
    """"audio", "video", …, in lower case."""
    port: int
    """0: the stream is refused or removed."""
    transport: str
    """"RTP/AVP", "RTP/SAVP", …, in upper case."""
    formats: tuple[str, ...]
    """Payload types as text; something else where the transport is not RTP."""
    address: str | None = None
    """Of c=, its own or else the session's."""
    attributes: tuple[Attribute, ...] = ()
    others: tuple[str, ...] = ()
    """Further lines (b=, i=, k=, unknown ones) as they came."""

    def values(self, name: str) -> list[str]:
        """The values of all attributes of this name, in any case."""
        return [value or "" for key, value in self.attributes if key.lower() == name]

    def value(self, name: str) -> str | None:
        """The value of the first attribute of this name; "" where it has none, None without such an attribute."""
        return next(iter(self.values(name)), None)

    @property
    def label(self) -> str | None:
        """a=label (RFC 4574), which metadata refer to."""
        return self.value("label") or None

    @property
    def direction(self) -> str:
        """One of DIRECTIONS; without an attribute sendrecv (RFC 8866 §6.7)."""
        return _direction(self.attributes) or "sendrecv"

    @property
    def sends(self) -> bool:
        """Whether who wrote this line means to send: neither held (inactive, c=0.0.0.0) nor removed."""
        return self.port != 0 and self.direction.startswith("send") and self.address not in NOWHERE

    @property
    def is_rtp(self) -> bool:
        return "RTP/" in self.transport

    @cached_property
    def codecs(self) -> tuple[Codec, ...]:
        """The payload types that are explained by rtpmap or static (RFC 3551 §6), in order of preference."""
        if not self.is_rtp:
            return ()
        named = dict(filter(None, map(_rtpmap, self.values("rtpmap"))))
        parameters = dict(filter(None, map(_fmtp, self.values("fmtp"))))
        known = {**STATIC, **named}
        offered = [int(text) for text in self.formats if _is_payload_type(text)]
        return tuple(
            replace(known[number], fmtp=parameters[number]) if parameters.get(number) else known[number]
            for number in dict.fromkeys(offered)
            if number in known
        )


@dataclass(frozen=True)
class Sdp:
    """A session description."""

    media: tuple[MediaLine, ...] = ()
    origin: str = ""
    """The value of o=: user name, session id, version, network type, address type, address."""
    name: str = "-"
    address: str | None = None
    """Of the session-level c=."""
    attributes: tuple[Attribute, ...] = ()
    others: tuple[str, ...] = ()
    """Further session-level lines (t=, b=, i=, unknown ones) as they came."""

    @property
    def version(self) -> int | None:
        """Of the o= line; None where there is none to read."""
        words = self.origin.split()
        return int(words[2]) if len(words) > 2 and _is_number(words[2], 20) else None

    def __str__(self) -> str:
        """The text for the wire, lines in the order of RFC 8866 §9, each ended by CRLF."""
        return self._text

    @cached_property
    def _text(self) -> str:
        others = self.others if any(line.startswith("t=") for line in self.others) else ("t=0 0", *self.others)
        lines = ["v=0", f"o={self.origin}", f"s={self.name}", *_connection(self.address), *others]
        lines += map(_attribute, self.attributes)
        text = _in_order(lines)
        for line in self.media:
            text += [f"m={line.kind} {line.port} {' '.join([line.transport, *line.formats])}"]
            own = _connection(line.address if line.address != self.address else None)
            text += _in_order([*own, *line.others, *map(_attribute, line.attributes)])
        return "".join(f"{line}\r\n" for line in text)


def parse(text: bytes) -> Sdp:
    """Read a session description.

    Bare LF, missing o=, s=, c=, t= lines, blanks around values and unknown lines are taken; lines that are not of the
    form `x=…` are left out. A direction on session level is written to the m-lines that have none of their own.

    Raises:
        SdpError: no line is SDP, or an m-line cannot be read.
    """
    lines = list(_lines(text))
    if not lines:
        raise SdpError(1, text.decode("utf-8", "replace"), "no session description")
    starts = [place for place, (_, letter, _) in enumerate(lines) if letter == "m"] + [len(lines)]
    session = _read_session(lines[: starts[0]])
    media = tuple(_read_media(lines[a:b], session) for a, b in pairwise(starts))
    return replace(session, media=media)


_Line = tuple[int, str, str]
"""Number, letter, value."""


def _lines(text: bytes) -> Iterator[_Line]:
    for number, line in enumerate(_LINE_END.split(text.decode("utf-8-sig", "replace").replace("\0", "")), start=1):
        letter, equals, value = line.strip().partition("=")
        if equals and len(letter) == 1 and letter.isalpha():
            yield number, letter.lower(), value.strip()


def _read_session(lines: list[_Line]) -> Sdp:
    first = {letter: value for _, letter, value in reversed(lines)}
    return Sdp(
        origin=first.get("o", ""),
        name=first.get("s", "-"),
        address=_address(first.get("c")),
        attributes=_attributes(lines),
        others=_others(lines, "vosca"),
    )


def _read_media(lines: list[_Line], session: Sdp) -> MediaLine:
    number, _, value = lines[0]
    words = value.split()
    port = words[1].partition("/")[0] if len(words) > 2 else ""
    if not _is_number(port, 5) or int(port) > _HIGHEST_PORT:
        raise SdpError(number, f"m={value}", "media line not understood")
    attributes = _attributes(lines)
    inherited = _direction(session.attributes)
    if inherited and not _direction(attributes):
        attributes += ((inherited, None),)
    return MediaLine(
        kind=words[0].lower(),
        port=int(port),
        transport=words[2].upper(),
        formats=tuple(words[3:]),
        address=next((_address(text) for _, letter, text in lines if letter == "c"), None) or session.address,
        attributes=attributes,
        others=_others(lines, "mca"),
    )


def _attributes(lines: list[_Line]) -> tuple[Attribute, ...]:
    found = [text.partition(":") for _, letter, text in lines if letter == "a" and text]
    return tuple((name.strip(), value.strip() if colon else None) for name, colon, value in found)


def _others(lines: list[_Line], without: str) -> tuple[str, ...]:
    return tuple(_in_order([f"{letter}={value}" for _, letter, value in lines if letter not in without]))


def _address(connection: str | None) -> str | None:
    """The address of `IN IP4 192.0.2.1` or, multicast, `IN IP4 233.252.0.1/127`."""
    words = (connection or "").split()
    return words[2].partition("/")[0] or None if len(words) > 2 else None


def _connection(address: str | None) -> list[str]:
    return [f"c=IN {network(address)} {address}"] if address else []


def network(address: str) -> str:
    """The address type: IP6 for an IPv6 address, else IP4."""
    return "IP6" if ":" in address else "IP4"


def _attribute(attribute: Attribute) -> str:
    name, value = attribute
    return f"a={name}" if value is None else f"a={name}:{value}"


def _in_order(lines: list[str]) -> list[str]:
    return sorted(lines, key=lambda line: _ORDER.get(line[0], _ORDER["?"]))


def _direction(attributes: tuple[Attribute, ...]) -> str | None:
    return next((name.lower() for name, _ in attributes if name.lower() in DIRECTIONS), None)


def _is_payload_type(text: str) -> bool:
    return _is_number(text, 3) and int(text) <= _HIGHEST_PAYLOAD_TYPE


def _is_number(text: str, digits: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= digits


def _rtpmap(value: str) -> tuple[int, Codec] | None:
    """`111 opus/48000/2`; without a clock rate 8000 Hz is meant."""
    found = _RTPMAP.match(value)
    if found is None or not _is_payload_type(found[1]):
        return None
    number, rate, channels = int(found[1]), int((found[3] or "8000")[:9]), int((found[4] or "1")[:3])
    return (number, Codec(number, found[2].upper(), rate, channels)) if rate and channels else None


def _fmtp(value: str) -> tuple[int, str] | None:
    number, _, parameters = value.partition(" ")
    return (int(number), parameters.strip()) if _is_payload_type(number) else None
