"""What others call the recorded call: identifiers in headers and metadata by which it is found in other systems.

The same call recorded by two clients, or by two recorders, has them in common.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from srs.sip import parameters
from srs.sip.message import Request
from srs.siprec.model import Metadata

LONGEST = 255
"""Characters of a value; longer ones are no identifiers."""
KINDS = {
    "ucid": "ucid",  # Avaya's Universal Call ID, also passed on by Oracle, AudioCodes and others
    "avayaucid": "ucid",
    "usertouser": "ucid",
    "ciscoguid": "cisco-guid",
    "farendguid": "cisco-guid",
    "guid": "guid",
    "sessionid": "session-id",  # RFC 7989
    "sipsessionid": "session-id",
    "callid": "call-id",
    "sipcallid": "call-id",
    "originalcallid": "call-id",
    "audccallid": "audiocodes-call-id",
    "gcid": "gcid",  # Ribbon
    "globalcallid": "gcid",
    "exttrackingid": "broadworks-tracking-id",
    "externaltrackingid": "broadworks-tracking-id",
    "broadworkscorrelationinfo": "broadworks-correlation",
    "genesyscalluuid": "genesys-uuid",
    "genesysuuid": "genesys-uuid",
    "genesysconversationid": "genesys-conversation",
    "callsid": "call-sid",
    "refci": "cisco-refci",
    "farendrefci": "cisco-refci",
    "genesysagentid": "agent-id",
    "agentid": "agent-id",
    "agentlogin": "agent-id",
}
"""Names of header fields, elements and URI parameters, in lower case without `x-` and signs, and what they identify."""
SHARED = frozenset({"agent-id", "cisco-refci"})
"""Kinds that several calls may have in common: of persons, or counted from 1 again one day."""
_OWN = frozenset({"call-id"})
"""Header fields that speak of the recording dialog."""
_UCID = re.compile(r"FA08([0-9A-F]{4})([0-9A-F]{4})([0-9A-F]{8})")
_SIGNS = re.compile(r"[^a-z0-9]")
_UUID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Identifier:
    """One name of the recorded call, or of who is in it."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Named:
    """An identifier and what it was said of."""

    time_ns: int
    """When it came, UTC."""
    owner: str
    """Id of the element of the metadata; "" where the message tells none."""
    identifier: Identifier


def find(request: Request, metadata: Metadata | None) -> Iterator[tuple[str, Identifier]]:
    """Yield the identifiers in the header and the metadata of a request of the client, each with its owner."""
    for name in dict.fromkeys(request.headers.keys()):
        if _plain(name) in KINDS and name.lower() not in _OWN:
            yield from (("", each) for value in request.headers.getlist(name) for each in read(name, value))
    _, _, tail = request.from_address.uri.partition(";")  # where Cisco's phones tell of the call they fork
    for name, given in parameters.parse(f";{tail}").items():
        yield from (("", each) for each in read(name, given or ""))
    if metadata is None:
        return
    for info in metadata.sessions:
        yield from ((info.id, each) for value in info.sip_session_ids for each in read("sipSessionID", value))
        if _UCID.search(info.id.upper()):  # Avaya's SBC makes the session's id of it
            yield from ((info.id, each) for each in read("ucid", info.id))
    for extension in metadata.extensions:
        yield from ((extension.parent, each) for each in _of_markup(extension.xml))


def read(name: str, value: str) -> Iterator[Identifier]:
    """Yield what a field of that name holds, in the form in which it is searched."""
    kind = KINDS.get(_plain(name))
    value = value.encode("utf-8", "replace").decode()
    if kind == "ucid":
        values = [ucid(value)]
    elif kind == "session-id":
        return (yield from _session_ids(value))
    else:
        values = [value.partition(";")[0]]
    for each in values:
        if kind and 0 < len(each.strip()) <= LONGEST:
            yield Identifier(kind, each.strip())


def ucid(value: str) -> str:
    """Avaya's Universal Call ID as its 20 digits (node, sequence, time); another value as it is, without parameters.

    In User-to-User it is an element with the tag FA and 8 octets, `…FA08` and 16 hexadecimal digits.
    """
    bare = value.partition(";")[0].strip()
    found = _UCID.search(bare.upper())
    if found is None:
        return bare
    node, sequence, time = (int(part, 16) for part in found.groups())
    return f"{node:05}{sequence:05}{time:010}"


def _session_ids(value: str) -> Iterator[Identifier]:
    """Both halves of an RFC 7989 Session-ID; its order depends on who speaks, and nil tells nothing.

    Some clients give the Call-ID of the recorded call instead.
    """
    for part in value.split(";"):
        half = part.strip().removeprefix("remote=").strip()
        if _UUID.fullmatch(half.lower()):
            if half.strip("0"):
                yield Identifier("session-id", half.lower())
        elif half and "=" not in part and len(half) <= LONGEST:
            yield Identifier("call-id", half)


def _of_markup(xml: str) -> Iterator[Identifier]:
    """The identifiers in an extension, in elements and attributes, also `<header label="User-to-User">`."""
    from srs.siprec import markup  # lxml, which those who only search need not load

    try:
        root, _ = markup.read(xml.encode("utf-8", "replace"))
    except markup.MarkupError:
        return
    for element in root.iter("*"):
        inside = [markup.local_name(child) for child in element.iterchildren("*")]
        if inside in ([], ["value"]):
            named = markup.attribute(element, "label", "name", "key") or markup.local_name(element)
            yield from read(named, markup.text(element))
        for key, value in element.attrib.items():
            yield from read(str(key).rpartition("}")[2], str(value))


def _plain(name: str) -> str:
    return _SIGNS.sub("", name.lower().removeprefix("x-"))
