"""The answers to requests, as messages."""

from srs.capture.admission import Refusal
from srs.sip import message as sip
from srs.sip.address import host_port
from srs.sip.core import METHODS
from srs.sip.errors import SipError
from srs.sip.flow import Flow
from srs.sip.message import Request, Response
from srs.sip.session_timer import negotiate
from srs.siprec.sdp import Sdp

ACCEPT = "application/sdp, application/rs-metadata, application/rs-metadata+xml, multipart/mixed"
SUPPORTED = ("siprec", "timer")
_TOLD = (("Allow", ", ".join(METHODS)), ("Supported", ", ".join(SUPPORTED)), ("Accept", ACCEPT))


def ok(request: Request, flow: Flow, advertise: str | None, answer: Sdp | None = None) -> Response:
    """A 200.

    Args:
        advertise: the address in Contact, instead of that which the request came to.
        answer: its body, if it has one.
    """
    response = sip.response(request, 200)
    transport = f";transport={flow.transport.lower()}" if flow.transport != "UDP" else ""
    contact = host_port((advertise or flow.local[0], flow.local[1]))
    response.headers.set("Contact", f"<sip:srs@{contact}{transport}>;+sip.srs")
    for name, value in _TOLD:
        response.headers.set(name, value)
    if request.method in ("INVITE", "UPDATE") and (timer := negotiate(request)):
        timer.put(response)
    if answer is not None:
        response.set_body("application/sdp", str(answer).encode())
    return response


def refusal(request: Request, why: Refusal | SipError) -> Response:
    """A refusal that says why, and when to come back or what would be taken."""
    response = sip.response(request, why.status, printable(why.reason))
    if isinstance(why, SipError):
        for name, value in why.headers:
            response.headers.add(name, value)
    elif why.retry_after_s is not None:
        response.headers.set("Retry-After", str(why.retry_after_s))
    if why.status == 488:
        response.headers.set("Warning", warning(why.reason))
    if why.status == 415:
        response.headers.set("Accept", ACCEPT)
    return response


def printable(text: str) -> str:
    """A reason phrase as SIP takes it: one line of ASCII, not too long."""
    return " ".join(text.encode("ascii", "replace").decode().split())[:160]


def warning(text: str) -> str:
    """A Warning header (RFC 3261 §20.43)."""
    quoted = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'399 siprec-srs "{quoted}"'
