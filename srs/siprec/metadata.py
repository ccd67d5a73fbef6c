"""Recording metadata (RFC 7865) as XML: read from any client, written for our own.

Of real clients few send what the schema says. So elements are known by local name alone, in any order and depth, in the
forms of RFC 7865 and of its drafts (`id` for `participant_id`, `<send>` within `<participant>`); ids are opaque texts;
whatever is not understood is kept as it came.
"""

import base64
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from lxml import etree

from srs.siprec import markup
from srs.siprec.markup import Element, MarkupError, attribute, child_text, children, local_name, source, text
from srs.siprec.model import (
    Extension,
    Instant,
    Membership,
    Metadata,
    NameId,
    Participant,
    SessionInfo,
    StreamInfo,
    Use,
    merge,
)

__all__ = [
    "Instant",
    "Metadata",
    "MetadataError",
    "Participant",
    "SessionInfo",
    "StreamInfo",
    "Use",
    "merge",
    "read",
    "write",
]

NAMESPACE = "urn:ietf:params:xml:ns:recording:1"
_ROOTS = ("recording", "recording_metadata")
_KNOWN = frozenset(
    {"recording", "recording_metadata", "datamode", "group", "session", "participant", "stream"}
    | {"sessionrecordingassoc", "participantsessionassoc", "participantstreamassoc"}
    | {"start-time", "stop-time", "end-time", "associate-time", "disassociate-time"}
    | {"sipsessionid", "reason", "group-ref", "nameid", "aor", "name", "send", "recv", "label", "mode", "id"}
    | {"param", "pname", "pval"}
)
"""Local names of RFC 7865 and its drafts, in lower case; other elements are extensions."""
_URI = re.compile(r"(?:sips?|tel)\s*:", re.IGNORECASE)


class MetadataError(ValueError):
    """A body that cannot be read as metadata; the recording goes on without it."""


def read(xml: bytes) -> Metadata:
    """Read a metadata document of any client; of a damaged one in which nobody can be read nothing follows.

    Raises:
        MetadataError: it is not XML, even with forgiveness; has no recording element; or is refused by `markup`.
    """
    try:
        root, mended = markup.read(xml)
    except MarkupError as error:
        raise MetadataError(str(error)) from error
    top = root if local_name(root) in _ROOTS else next((e for e in root.iter("*") if local_name(e) in _ROOTS), None)
    if top is None:
        raise MetadataError(f"no recording element, but {local_name(root)}")
    found = list(_walk(top))
    problems = [] if not mended else ["the metadata were not well-formed XML"]
    participants = tuple(_unique("participant", _all(found, "participant", _participant), problems))
    sessions = tuple(_stopped(found, _unique("session", _all(found, "session", _session), problems)))
    streams = tuple(dict.fromkeys(_all(found, "stream", _stream)))
    problems += _reused(participants, sessions, streams)
    return Metadata(
        complete=_is_complete(top, found) and not (mended and not sessions and not participants),
        sessions=sessions,
        participants=participants,
        streams=streams,
        memberships=tuple(_memberships(found)),
        uses=tuple(_uses(found)),
        extensions=tuple(_extensions(found)),
        problems=tuple(problems),
    )


def write(sip_session_id: str, aors: Sequence[str]) -> bytes:
    """The complete snapshot of a call, one stream a participant with the labels 1, 2, …, as RFC 7865 §9 has it.

    The ids follow from the arguments, so that the same call written again has the same.
    """
    root = etree.Element(f"{{{NAMESPACE}}}recording", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    session = _id(sip_session_id, "session")
    people = [_id(sip_session_id, f"participant {number}") for number in range(len(aors))]
    lines = [_id(sip_session_id, f"stream {number}") for number in range(len(aors))]
    _add(root, "datamode", "complete")
    _add(_add(root, "session", session_id=session), "sipSessionID", sip_session_id)
    for person, aor in zip(people, aors, strict=True):
        _add(_add(root, "participant", participant_id=person), "nameID", aor=aor)
    for label, line in enumerate(lines, start=1):
        _add(_add(root, "stream", stream_id=line, session_id=session), "label", str(label))
    _add(root, "sessionrecordingassoc", session_id=session)
    for person in people:
        _add(root, "participantsessionassoc", participant_id=person, session_id=session)
    for person, own in zip(people, lines, strict=True):
        use = _add(root, "participantstreamassoc", participant_id=person)
        _add(use, "send", own)
        for line in lines:
            if line != own:
                _add(use, "recv", line)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _id(call: str, role: str) -> str:
    """Base64 of the 16 octets of a UUID (RFC 7865 §6.10)."""
    return base64.b64encode(uuid.uuid5(uuid.NAMESPACE_URL, f"{call} {role}").bytes).decode()


def _add(parent: Element, name: str, content: str | None = None, **attributes: str) -> Element:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}", attributes)
    element.text = content
    return element


# Reading the elements

_Item = TypeVar("_Item")


def _walk(element: Element) -> Iterator[Element]:
    """Yield the elements below, but none within elements that RFC 7865 and its drafts do not define."""
    for child in element.iterchildren("*"):
        yield child
        if local_name(child) in _KNOWN:
            yield from _walk(child)


def _all(found: list[Element], name: str, build: Callable[[Element], _Item]) -> list[_Item]:
    return [build(element) for element in found if local_name(element) == name]


def _session(element: Element) -> SessionInfo:
    return SessionInfo(
        id=attribute(element, "session_id", "id"),
        sip_session_ids=tuple(filter(None, map(_squeezed, children(element, "sipsessionid")))),
        group=child_text(element, "group-ref"),
        reasons=tuple(filter(None, map(text, children(element, "reason")))),
        start=_instant(element, "start-time"),
        stop=_instant(element, "stop-time", "end-time"),
    )


def _stopped(found: list[Element], sessions: Iterable[SessionInfo]) -> Iterator[SessionInfo]:
    """Yield the sessions; one that leaves the recording session (sessionrecordingassoc, RFC 7865 §6.4) is stopped."""
    left = {
        attribute(element, "session_id"): _instant(element, "disassociate-time")
        for element in found
        if local_name(element) == "sessionrecordingassoc" and child_text(element, "disassociate-time")
    }
    for info in sessions:
        stop = left.pop(info.id, None)
        yield replace(info, stop=info.stop or stop)
    yield from (SessionInfo(key, stop=stop) for key, stop in left.items())


def _participant(element: Element) -> Participant:
    """nameID elements with `aor` as attribute (RFC 7865) or child; or aor and name without nameID, as in the drafts."""
    given = [_name_id(each) for each in children(element, "nameid")] or [_name_id(element)]
    return Participant(
        attribute(element, "participant_id", "id"), tuple(each for each in given if each.aor or each.name)
    )


def _name_id(element: Element) -> NameId:
    aor = attribute(element, "aor") or child_text(element, "aor")
    aor = "".join(aor.split()) if _URI.match(aor) else " ".join(aor.split())
    return NameId(aor, child_text(element, "name"))


def _stream(element: Element) -> StreamInfo:
    return StreamInfo(
        id=attribute(element, "stream_id", "id"),
        label=child_text(element, "label") or attribute(element, "label"),
        session_id=attribute(element, "session_id", "session"),
        mode=child_text(element, "mode").lower(),
    )


def _memberships(found: list[Element]) -> Iterator[Membership]:
    """participantsessionassoc; or, as in the drafts, a participant that names its session."""
    for element in found:
        is_draft = local_name(element) == "participant" and attribute(element, "session_id", "session")
        if is_draft or local_name(element) == "participantsessionassoc":
            yield Membership(
                attribute(element, "participant_id", "id"),
                attribute(element, "session_id", "session"),
                _instant(element, "associate-time"),
                _instant(element, "disassociate-time"),
            )


def _uses(found: list[Element]) -> Iterator[Use]:
    """One for each participant; what several elements say of it is taken together."""
    together: dict[str, Use] = {}
    for element in found:
        if not _is_use(element):
            continue
        use = _use(element)
        earlier = together.get(use.participant_id, use)
        together[use.participant_id] = Use(
            use.participant_id,
            tuple(dict.fromkeys((*earlier.sends, *use.sends))),
            tuple(dict.fromkeys((*earlier.receives, *use.receives))),
            earlier.since or use.since,
            use.until and earlier.until,
        )
    yield from together.values()


def _is_use(element: Element) -> bool:
    name = local_name(element)
    return name == "participantstreamassoc" or (name == "participant" and [*children(element, "send", "recv")] != [])


def _use(element: Element) -> Use:
    return Use(
        attribute(element, "participant_id", "id"),
        tuple(map(text, children(element, "send"))),
        tuple(map(text, children(element, "recv"))),
        _instant(element, "associate-time"),
        _instant(element, "disassociate-time"),
    )


def _extensions(found: list[Element]) -> Iterator[Extension]:
    for element in found:
        if local_name(element) not in _KNOWN:
            parent = element.getparent()
            inside = attribute(parent, "participant_id", "session_id", "stream_id", "id") if parent is not None else ""
            yield Extension(attribute(element, "parent") or inside, local_name(element), source(element))


def _is_complete(top: Element, found: list[Element]) -> bool:
    """`datamode` or `dataMode`, element or attribute; complete unless it says partial."""
    told = [attribute(top, "datamode"), *(text(element) for element in found if local_name(element) == "datamode")]
    return not any(each.lower() == "partial" for each in told)


def _squeezed(element: Element) -> str:
    """A sipSessionID, in which line breaks after `;` mean nothing (RFC 7865 §8.1)."""
    return "".join(text(element).split())


def _instant(element: Element, *names: str) -> Instant | None:
    written = child_text(element, *names)
    return Instant.parse(written) if written else None


# Oddities


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


_Named = TypeVar("_Named", bound=_Identified)


def _unique(kind: str, items: list[_Named], problems: list[str]) -> Iterator[_Named]:
    """Yield the items; of several with the same id the first (RFC 7865 §6.10), and note the others."""
    known: dict[str, _Named] = {}
    for item in items:
        if known.setdefault(item.id, item) is item:
            yield item
        elif known[item.id] != item:
            problems.append(f"two {kind} elements have the id {item.id!r}; ignored: {item}")


def _reused(*groups: Sequence[_Identified]) -> Iterator[str]:
    """Yield a problem for each id that stands for elements of several kinds."""
    kinds: dict[str, set[str]] = {}
    for item in (item for group in groups for item in group if item.id):
        kinds.setdefault(item.id, set()).add(type(item).__name__)
    return (f"the id {key!r} stands for elements of several kinds" for key, names in kinds.items() if len(names) > 1)
