"""Messages that are longer than a record of a capture: metadata of a quarter of a megabyte, which no real call has."""

from rtp.pcap import SNAPLEN
from srs.sip.message import Request, Response, parse
from srs.siprec.body import SDP, UnsupportedPart, split

MOST_OCTETS = SNAPLEN - 64
"""Of a message in a record, behind the headers of IPv6 and UDP."""
MARK = "X-SRS-Abridged"
"""Header with the octets that the message had."""


def abridged(message: Request | Response, octets: bytes) -> bytes:
    """The message as a capture can hold it: if it is too long, with the session description as all of its body."""
    if len(octets) <= MOST_OCTETS:
        return octets
    try:
        described = split(message.headers.get("Content-Type") or "", message.body).sdp
    except UnsupportedPart:
        described = None
    short = parse(octets)
    short.headers.add(MARK, str(len(octets)))
    short.set_body(SDP, described or b"")
    return bytes(short)
