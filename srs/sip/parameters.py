"""`;name=value` lists and comma-separated lists as header fields have them (RFC 3261 §7.3.1), read tolerantly."""

import re
from collections.abc import Mapping

_PARAMETER = re.compile(r';\s*([^\s;=,"]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;]*))?')

PARSED = 256
"""Texts whose reading is remembered: those of a header are read several times while their message is acted on."""
Parameters = Mapping[str, str | None]


def parse(text: str) -> dict[str, str | None]:
    """The parameters of a text that starts with `;`: names in lower case, values as written, None without `=`."""
    return {found[1].lower(): found[2] and found[2].strip() for found in _PARAMETER.finditer(text)}


def render(parameters: Parameters) -> str:
    """The text that `parse` reads."""
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in parameters.items())


def split_list(text: str) -> list[str]:
    """The elements of a comma-separated header value; commas within quotes or angle brackets do not separate."""
    if "," not in text:
        return [text.strip()] if text.strip() else []
    elements = [""]
    for piece in _unquoted(text):
        if piece == ",":
            elements.append("")
        else:
            elements[-1] += piece
    return [element.strip() for element in elements if element.strip()]


_PIECE = re.compile(r'[^",<>\\]+|\\.|.', re.DOTALL)


def _unquoted(text: str) -> list[str]:
    """`text` cut in pieces, where a piece `,` is a separator and a protected comma is glued to its neighbour."""
    pieces: list[str] = []
    quoted = bracketed = False
    for piece in _PIECE.findall(text):
        if piece == '"':
            quoted = not quoted
        elif not quoted and piece in "<>":
            bracketed = piece == "<"
        if piece == "," and (quoted or bracketed):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces
