"""XML from strangers as a tree: no entities, no network, bounded in size and depth, mended where clients break it."""

import re
from collections.abc import Iterator
from functools import lru_cache

from lxml import etree

MOST_OCTETS = 1 << 20
MOST_LEVELS = 64
"""Of nested elements; real metadata have up to six."""

MOST_ELEMENTS = 10_000
"""In one document; those of a conference of thirty have about 1,300."""

Element = etree._Element  # noqa: SLF001 - lxml has no public name for it

_BEFORE = re.compile(rb"^[^<]*")
_DOCTYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?\s*xml\b[^>]*>", re.IGNORECASE)
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});)")
_IN_TAG = r"""/?[A-Za-z_][\w.:-]*(?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'|[^\s"'<>]+))*\s*/?>"""
_TAG = re.compile(f"<{_IN_TAG}")
_BARE_LESS = re.compile(rf"<(?!{_IN_TAG}|!--|!\[CDATA\[|\?)")
_CUT_TAG = re.compile(r"<[^<>]*\Z")
_QUOTED_OR_NOT = re.compile(
    r"""("[^"]*"|'[^']*')|(?<=\s)([A-Za-z_][\w.:-]*)\s*=\s*([^\s"'<>/=][^\s"'<>=]*?)(?=\s|/?>)"""
)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class MarkupError(ValueError):
    """Not XML, or more of it than is read."""


def read(octets: bytes) -> tuple[Element, bool]:
    """The root element, and whether the text had to be mended to get at it.

    Raises:
        MarkupError: nothing can be read, or there is a document type, or more than the limits above allow.
    """
    if len(octets) > MOST_OCTETS:
        raise MarkupError(f"{len(octets)} octets, more than {MOST_OCTETS}")
    if _DOCTYPE.search(octets.replace(b"\0", b"")):
        raise MarkupError("a document type is not read")
    octets = _BEFORE.sub(b"", octets, count=1)
    root = _parsed(octets, recover=False)
    mended = root is None
    if root is None:
        root = _parsed(_mended(octets).encode(), recover=True)
    if root is None:
        raise MarkupError("no XML")
    _check_shape(root)
    return root, mended


def local_name(element: Element) -> str:
    """The name without namespace and prefix, in lower case."""
    return _local(str(element.tag))


@lru_cache(maxsize=1024)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2].rpartition(":")[2].lower()


def attribute(element: Element, *names: str) -> str:
    """The trimmed value of the first attribute that has one of these names (lower case); "" where there is none."""
    values = {str(key).rpartition("}")[2].lower(): str(value) for key, value in element.attrib.items()}
    return next((values[name].strip() for name in names if name in values), "")


def text(element: Element) -> str:
    """All text within, on one line."""
    return " ".join("".join(str(piece) for piece in element.itertext("*")).split())


def children(element: Element, *names: str) -> Iterator[Element]:
    """The child elements that have one of these local names."""
    return (child for child in element.iterchildren("*") if local_name(child) in names)


def child_text(element: Element, *names: str) -> str:
    """The text of the first such child that has any; else ""."""
    return next(filter(None, map(text, children(element, *names))), "")


def source(element: Element) -> str:
    """The element as XML text."""
    return etree.tostring(element, encoding="unicode", with_tail=False)


def _parsed(octets: bytes, *, recover: bool) -> Element | None:
    parser = etree.XMLParser(
        recover=recover, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root: Element | None = etree.fromstring(octets, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return root


def _mended(octets: bytes) -> str:
    """The text with the reserved characters escaped that clients leave bare, and attributes quoted."""
    try:
        readable = octets.decode()
    except UnicodeDecodeError:
        readable = octets.decode("latin-1")
    readable = _CUT_TAG.sub("", _FORBIDDEN.sub("", _DECLARATION.sub("", readable)))
    readable = _BARE_LESS.sub("&lt;", _BARE_AMPERSAND.sub("&amp;", readable))
    return _TAG.sub(lambda tag: _QUOTED_OR_NOT.sub(_quoted, tag[0]), readable)


def _quoted(found: re.Match[str]) -> str:
    return found[1] or f'{found[2]}="{found[3]}"'


def _check_shape(root: Element) -> None:
    """
    Raises:
        MarkupError: there are too many elements, or they are nested too deep.
    """
    level = elements = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        level += 1 if event == "start" else -1
        elements += event == "start"
        if level > MOST_LEVELS:
            raise MarkupError(f"elements nested more than {MOST_LEVELS} deep")
        if elements > MOST_ELEMENTS:
            raise MarkupError(f"more than {MOST_ELEMENTS} elements")
