"""Whether SRTP is taken from a client: its keys are in the SIP, so they are as safe as that is (RFC 4568 §9.1)."""

from enum import StrEnum

from srs.capture.admission import Refusal
from srs.config import PeerSettings
from srs.siprec.sdes import is_secure
from srs.siprec.sdp import Sdp


class Srtp(StrEnum):
    """What holds for the SRTP of a call."""

    REFUSED = "refused"
    """Its SIP can be read by others, and with it the keys."""
    TAKEN = "taken"
    DEMANDED = "demanded"


def policy(peer: PeerSettings, transport: str) -> Srtp:
    """What holds for a client that calls so: "UDP", "TCP", "TLS"."""
    if peer.require == "srtp":
        return Srtp.DEMANDED
    return Srtp.TAKEN if transport == "TLS" or peer.keys_in_clear else Srtp.REFUSED


def check(srtp: Srtp, offered: Sdp | None) -> None:
    """
    Raises:
        Refusal: 488, a stream is SRTP where it is refused, or is none where it is demanded.
    """
    lines = [line for line in offered.media if line.port] if offered else []
    secure = [is_secure(line) for line in lines]
    if srtp is Srtp.REFUSED and any(secure):
        raise Refusal(488, "SRTP keys are taken over TLS only, or with [[peer]] keys_in_clear")
    if srtp is Srtp.DEMANDED and not (offered and all(secure)):
        raise Refusal(488, "SRTP is demanded of this client by its [[peer]] section")
