"""Bodies of SIP messages (RFC 5621): the session description and the metadata in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import compat32

SDP = "application/sdp"
METADATA = ("application/rs-metadata+xml", "application/rs-metadata")
"""RFC 9806 and RFC 7866 §9.1."""
MOST_MULTIPARTS = 16
"""Multipart bodies within one body; real ones have one or two."""

_NESTING = re.compile(rb"content-type\s*:\s*(?:multipart|message)/", re.IGNORECASE)
_DELIMITER = re.compile(rb"\s*--([^\r\n]{1,200}?)[ \t]*\r?\n")
_BOUNDARY = re.compile(r'multipart/mixed *; *boundary=("?)([\w.-]{1,70})\1', re.IGNORECASE | re.ASCII)
_OTHER_FIELD = rb"(?:\r\ncontent-(?:disposition: *[a-z-]+|length: *\d+))*"
_SIMPLE_PART = re.compile(
    _OTHER_FIELD + rb"\r\ncontent-type: *((?!multipart|message)[a-z]+/[a-z+-]+)" + _OTHER_FIELD + rb"\r\n\r\n(.*)",
    re.IGNORECASE | re.DOTALL,
)
"""Behind a delimiter: header fields that say no more than the type, then the content."""
_SDP_START = re.compile(rb"\s*v\s*=\s*0")
_METADATA_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?\s?xml\b|<(?:[\w.-]+:)?recording)", re.IGNORECASE)


class UnsupportedPart(ValueError):
    """A body that must be understood and is not: to be answered with 415 (RFC 5621 §8.4)."""


@dataclass(frozen=True, slots=True)
class Part:
    """One body part that is not a multipart."""

    content_type: str
    """Type and subtype, in lower case."""
    content: bytes
    required: bool = False
    """Whether the client says `handling=required`."""


@dataclass(frozen=True, slots=True)
class Body:
    """What a message carries."""

    sdp: bytes | None = None
    metadata: bytes | None = None
    others: tuple[Part, ...] = ()


def split(content_type: str, body: bytes) -> Body:
    """Find session description and metadata in a body, by type, else by how the content begins.

    Multipart of any subtype and depth, in any order of parts, without close delimiter or boundary parameter.

    Raises:
        UnsupportedPart: the whole body, or a part with `handling=required`, is neither; or it is nested too deep.
    """
    if not body.strip():
        return Body()
    parts = list(_parts(content_type, body))
    sdp = _first(parts, (SDP,), _SDP_START)
    metadata = _first(parts, METADATA, _METADATA_START)
    others = tuple(part for part in parts if part is not sdp and part is not metadata)
    for part in others:
        if part.required or len(parts) == 1:
            raise UnsupportedPart(f"{part.content_type} is not understood")
    return Body(sdp.content if sdp else None, metadata.content if metadata else None, others)


def build(sdp: bytes, metadata: bytes) -> tuple[str, bytes]:
    """Content type and octets of the multipart/mixed body of a recording client (RFC 7866 §9.1)."""
    boundary = "siprec"
    while boundary.encode() in sdp + metadata:
        boundary += "-"
    delimiter = f"--{boundary}"
    head = f"{delimiter}\r\nContent-Type: {SDP}\r\n\r\n"
    between = f"\r\n{delimiter}\r\nContent-Type: {METADATA[0]}\r\nContent-Disposition: recording-session\r\n\r\n"
    octets = head.encode() + sdp + between.encode() + metadata + f"\r\n{delimiter}--\r\n".encode()
    return f"multipart/mixed;boundary={boundary}", octets


def _first(parts: list[Part], types: tuple[str, ...], start: re.Pattern[bytes]) -> Part | None:
    """The first part of one of the types; else the first of no type of ours that begins so."""
    ours = (SDP, *METADATA)
    typed = (part for part in parts if part.content_type in types)
    alike = (part for part in parts if part.content_type not in ours and start.match(part.content))
    return next(typed, None) or next(alike, None)


def _parts(content_type: str, body: bytes) -> Iterator[Part]:
    media_type = content_type.partition(";")[0].strip().lower()
    first = _DELIMITER.match(body)
    if first is None and not media_type.startswith("multipart/"):
        yield Part(media_type, body)
        return
    if (simple := _simple_parts(content_type, body)) is not None:
        yield from simple
        return
    if len(_NESTING.findall(body)) >= MOST_MULTIPARTS:
        raise UnsupportedPart("multipart bodies nested too deep")
    tree = _tree(content_type, body)
    if first and not tree.is_multipart():  # the boundary parameter is missing or another
        tree = _tree('multipart/mixed; boundary="' + first[1].decode("ascii", "surrogateescape") + '"', body)
    for leaf in tree.walk():
        if not leaf.is_multipart():
            content = leaf.get_payload(decode=True)
            yield Part(leaf.get_content_type(), content if isinstance(content, bytes) else b"", _is_required(leaf))


def _simple_parts(content_type: str, body: bytes) -> list[Part] | None:
    """The parts of a body as nearly every client makes it: one level, delimiters as announced, contents as they are.

    A tenth of what an INVITE costs is saved; None: the body is less simple, and `email` must tell.
    """
    boundary = _BOUNDARY.fullmatch(content_type)
    if boundary is None:
        return None
    before, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary[2].encode())
    found = [_SIMPLE_PART.fullmatch(part) for part in parts[:-1]]
    if before or not found or not all(found) or not parts[-1].startswith(b"--"):
        return None
    return [Part(part[1].decode().lower(), part[2]) for part in found if part]


def _tree(content_type: str, body: bytes) -> Message:
    head = f"Content-Type: {' '.join(content_type.split())}\r\n\r\n"
    return message_from_bytes(head.encode("utf-8", "surrogateescape") + body, policy=compat32)


def _is_required(leaf: Message) -> bool:
    handling = leaf.get_param("handling", header="Content-Disposition")
    return isinstance(handling, str) and handling.strip().lower() == "required"
