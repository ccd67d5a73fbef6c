"""Who calls: the `[[peer]]` of the settings that a new session belongs to, and what it demands and is granted.

The first one whose criteria all hold is taken. Without any `[[peer]]` everybody is welcome, as `[sip] allow` permits;
with them whoever fits none is turned away.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import quote

from srs.capture.admission import Refusal
from srs.config import PeerSettings
from srs.sip.digest import Digest
from srs.sip.message import Request
from srs.siprec import headers
from srs.siprec.body import Body

EVERYBODY = PeerSettings(name="")
"""The profile of all clients where none is set."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of a client before its words are believed."""

    address: str
    transport: str
    names: tuple[str, ...]
    """In its certificate, which was verified; lower case."""
    from_uri: str


def find(peers: Sequence[PeerSettings], caller: Caller) -> PeerSettings:
    """The profile that holds for a client.

    Raises:
        Refusal: 403, there are profiles and none fits.
    """
    if not peers:
        return EVERYBODY
    found = next((peer for peer in peers if _fits(peer, caller)), None)
    if found is None:
        raise Refusal(403, f"no [[peer]] fits {caller.address}, {caller.from_uri}")
    return found


def _fits(peer: PeerSettings, caller: Caller) -> bool:
    address = ipaddress.ip_address(caller.address.partition("%")[0])
    by_address = not peer.address or any(address in ipaddress.ip_network(network) for network in peer.address)
    by_name = not peer.certificate or any(name.lower() in caller.names for name in peer.certificate)
    return by_address and by_name and fnmatchcase(caller.from_uri.lower(), peer.from_uri.lower())


def check(peer: PeerSettings, caller: Caller, request: Request, digest: Digest, now: float) -> None:
    """Whether the client uses the security that is asked of it, and knows the password where there is one.

    Raises:
        Refusal: 403, TLS is demanded.
        SipError: 401 and others, see `Digest.check`.
    """
    if peer.require in ("tls", "srtp") and caller.transport != "TLS":
        raise Refusal(403, f"[[peer]] {peer.name} demands TLS")
    if peer.user is not None and peer.password is not None:
        digest.check(request, peer.user, peer.password.get_secret_value(), now, peer.digests)


def recognises(peer: PeerSettings, request: Request, body: Body) -> bool:
    """Whether an INVITE is one to record.

    strict   as RFC 7866 §6.2 says: `Require: siprec` and `+sip.src` in Contact
    relaxed  by any of these, or what clients send instead (SRS-06): `;src`, metadata, Cisco's own headers
    plain    every INVITE, for clients that know no SIPREC (SRS-08)
    """
    if peer.recognition == "plain":
        return True
    if peer.recognition == "strict":
        tags = (contact.rpartition(">")[2].lower() for contact in request.headers.getlist("Contact"))
        return headers.requires_siprec(request) and any("+sip.src" in each for each in tags)
    return headers.asks_for_recording(request) or body.metadata is not None


def note(peer: PeerSettings) -> str | None:
    """What the capture keeps of the profile, `peer;name=…;purpose=…;tag=…`, values as in URLs; None: nothing."""
    pairs = [("name", peer.name), ("purpose", peer.purpose or ""), *(("tag", tag) for tag in peer.tags)]
    told = [f"{name}={quote(value, safe='')}" for name, value in pairs if value]
    return ";".join(["peer", *told]) if told else None
