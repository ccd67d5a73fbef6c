"""What the header of an INVITE tells of a recording: its marks, and who takes part where there are no metadata.

Cisco CUCM Built-in-Bridge   two INVITEs without offer, one for each side; From says which side, and the pair
Cisco network-based          X-Cisco-Recording-Participant names the parties, with the m-line of each
any other SIP call           From, or P-Asserted-Identity, is on the other end
"""

import re
from dataclasses import dataclass

from srs.sip import parameters
from srs.sip.message import Address, Request
from srs.siprec.model import Metadata, NameId, Participant, SessionInfo

PARTICIPANT = "X-Cisco-Recording-Participant"
FAR = "-far"
"""Ends the id of the recording session with the far leg of a call; the rest is that of the near leg."""
_SOURCE = re.compile(r"\+sip\.src|;\s*src\s*(?:;|$)")
_LAST = 1 << 10


@dataclass(frozen=True, slots=True)
class Side:
    """One leg of a call that a phone forks (Built-in-Bridge)."""

    near: bool
    """Whether it is what the phone itself sends."""
    pair: str
    """The same for both legs of the call: `x-refci` and `x-farendrefci`."""
    address: str
    """Number of who is heard."""


def requires_siprec(request: Request) -> bool:
    return "siprec" in {tag.lower() for tag in request.list("Require")}


def is_source(request: Request) -> bool:
    """Whether Contact has the feature tag of a recording client, also without `+sip.` or within `<>` (SRS-06)."""
    return bool(_SOURCE.search(" ".join(request.headers.getlist("Contact")).lower()))


def side(request: Request) -> Side | None:
    """The leg that the From of a Built-in-Bridge call describes; None: it is no such call."""
    _, _, tail = request.from_address.uri.partition(";")
    told = parameters.parse(f";{tail}")
    near = "x-nearend" in told
    if not (near or "x-farend" in told) or not told.get("x-refci"):
        return None
    pair = f"{told['x-refci']}-{told.get('x-farendrefci') or ''}"
    return Side(near, pair, told.get("x-nearendaddr" if near else "x-farendaddr") or "")


def asks_for_recording(request: Request) -> bool:
    """Whether it has any mark of a recording call, of SIPREC or of Cisco."""
    cisco = bool(request.headers.get(PARTICIPANT)) or side(request) is not None
    return requires_siprec(request) or is_source(request) or cisco


def is_plain(request: Request) -> bool:
    """Whether it is no SIPREC: then `metadata` says who takes part."""
    return not requires_siprec(request) and not is_source(request)


def metadata(request: Request) -> Metadata:
    """Who takes part, by the header alone."""
    if leg := side(request):
        key, scheme = ("near", "far")[not leg.near], "" if ":" in leg.address else "sip:"
        names = (NameId(f"{scheme}{leg.address}" if leg.address else "", ""),)
        return Metadata(sessions=(SessionInfo(leg.pair),), participants=(Participant(key, names),))
    if listed := [Address.parse(each) for each in request.list(PARTICIPANT)]:
        listed.sort(key=_media_index)
        return Metadata(participants=tuple(_participant(str(place), each) for place, each in enumerate(listed)))
    asserted = request.list("P-Asserted-Identity")
    return Metadata(
        participants=(_participant("from", Address.parse(asserted[0]) if asserted else request.from_address),)
    )


def _participant(key: str, address: Address) -> Participant:
    return Participant(key, (NameId(address.uri.partition(";")[0], address.name),))


def _media_index(address: Address) -> int:
    told = (address.parameters.get("media-index") or "").strip('"')
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 4 else _LAST
