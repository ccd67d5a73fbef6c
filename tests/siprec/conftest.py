"""A recording dialog as a script: the client's requests, our answers, and the session after each."""

from dataclasses import dataclass, field

import pytest

from srs.sip.message import make_request, response
from srs.siprec import body as bodies
from srs.siprec import session as reducer
from srs.siprec.answer import answer, offer
from srs.siprec.sdp import parse

SECOND = 1_000_000_000


@dataclass
class Dialog:
    """`time` moves by one second with every message."""

    call_id: str = "rs-1@example.com"
    time: int = 0
    cseq: int = 0
    answered: object = None
    last: object = None
    session: object = field(init=False)

    def __post_init__(self):
        self.session = reducer.new(self.call_id)

    def apply(self, message):
        self.time += SECOND
        self.session = reducer.apply(self.session, message, self.time)
        return self.session

    def request(self, method, *, sdp=None, xml=None, content_type=None, body=b"", cseq=None, tag="client", headers=()):
        """Make a request of the client, without applying it."""
        self.cseq += cseq is None and method != "ACK"
        if sdp is not None and xml is not None:
            content_type, body = bodies.build(sdp, xml)
        elif sdp is not None:
            content_type, body = "application/sdp", sdp
        elif xml is not None:
            content_type, body = "application/rs-metadata+xml", xml
        fields = [
            ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"),
            ("From", f"<sip:src@example.com>;tag={tag}"),
            ("To", "<sip:srs@example.com>"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.cseq if cseq is None else cseq} {method}"),
            *([("Content-Type", content_type)] if content_type else []),
            *headers,
        ]
        return make_request(method, "sip:srs@example.com", fields, body)

    def says(self, method, **options):
        """Let the client say something; returns the session."""
        self.last = self.request(method, **options)
        return self.apply(self.last)

    def answers(self, code=200, *, sdp=None, to=None):
        """Let us answer the last request, or `to` another; returns the session."""
        made = response(to or self.last, code, to_tag="srs")
        if sdp is not None:
            made.set_body("application/sdp", sdp)
        return self.apply(made)

    def agrees(self, method="INVITE", **options):
        """Let the client ask and us grant it, with ports 30000, 30002, … by m-line; returns the session."""
        self.says(method, **options)
        parts = bodies.split(self.last.headers.get("Content-Type") or "", self.last.body)
        return self.answers(sdp=None if parts.sdp is None else self.grant(parts.sdp))

    def grant(self, sdp):
        offered = parse(sdp)
        ports = {index: 30000 + 2 * index for index, line in enumerate(offered.media) if line.kind == "audio"}
        self.answered = answer(offered, ports, address="127.0.0.1", session_id=9, previous=self.answered)
        return str(self.answered).encode()

    def late_offer(self, ports=(30000,)):
        """Let us answer an INVITE without offer by one of ours."""
        return self.answers(sdp=str(offer(ports, address="127.0.0.1", session_id=9)).encode())


@pytest.fixture
def dialog():
    return Dialog()


def media(*lines):
    """Write an offer: each line as (m-line, attributes…)."""
    head = ["v=0", "o=src 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0"]
    body = [text for m, *attributes in lines for text in (f"m={m}", *(f"a={each}" for each in attributes))]
    return ("\r\n".join([*head, *body]) + "\r\n").encode()


@pytest.fixture
def sdp():
    return media


@pytest.fixture
def two_legs():
    """Offer of two legs in the given direction."""

    def make(direction="sendonly", port=4000):
        return media(
            (f"audio {port} RTP/AVP 0 8", "label:1", direction),
            (f"audio {port + 2} RTP/AVP 0 8", "label:2", direction),
        )

    return make
