"""Conversations with an endpoint on a virtual clock; loops for those over real sockets."""

import asyncio
import itertools
from dataclasses import dataclass

import pytest
import uvloop

from srs.sip.endpoint import Endpoint
from srs.sip.events import RequestReceived
from srs.sip.flow import Flow
from srs.sip.message import Message, Request, Response, parse, response

LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio"), pytest.param(uvloop.new_event_loop, id="uvloop")]


def summary(message: Message) -> str:
    """`200 INVITE` for a response, `BYE` for a request."""
    return message.method if isinstance(message, Request) else f"{message.code} {message.headers['CSeq'].split()[-1]}"


@dataclass
class Talk:
    """A peer in conversation with an endpoint.

    `talk >> data` brings a message in; `talk << "200 INVITE"` expects the next one that goes out; `talk.wait(s)` lets
    time pass; `talk.log` holds (seconds, summary) of all that went out.
    """

    transport: str = "UDP"

    def __post_init__(self):
        tokens = itertools.count(1)
        self.endpoint = Endpoint(token=lambda: f"token{next(tokens)}", supported=frozenset({"siprec"}))
        self.flow = Flow(self.transport, ("127.0.0.1", 5060), ("127.0.0.2", 6000), int(self.transport != "UDP"))
        self.now = 0.0
        self.log = []
        self.sends = []  # not yet expected
        self.events = []
        self.last = {}  # the newest message that went out, by summary
        self.tag = ""  # the endpoint's, once it gave one

    # What the peer says

    def request(
        self, method, cseq=1, *, branch=None, to_tag="", uri="sip:srs@127.0.0.1", headers=(), body=b"", **names
    ):
        names = {"Call-ID": "call-1@example.com", "From": "<sip:alice@example.com>;tag=peer", **names}
        to = "<sip:srs@example.com>" + (f";tag={to_tag}" if to_tag else "")
        branch = branch or f"z9hG4bK-{method}-{cseq}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/{self.transport} 127.0.0.2:6000;branch={branch}",
            "Max-Forwards: 70",
            *(f"{name}: {value}" for name, value in names.items()),
            f"To: {to}",
            f"CSeq: {cseq} {method}",
            "Contact: <sip:alice@127.0.0.2:6000>",
            *(f"{name}: {value}" for name, value in headers),
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    def within(self, method, cseq, **options):
        """A request in the dialog."""
        return self.request(method, cseq, to_tag=self.tag, **options)

    def reply(self, request, code, *, tag="far", contact="<sip:srs@127.0.0.2:6000>", headers=()):
        """The peer's response to a request of ours."""
        made = response(request, code, to_tag=tag if code > 100 else "")
        if contact:
            made.headers.set("Contact", contact)
        for name, value in headers:
            made.headers.add(name, value)
        return bytes(made)

    # The script

    def __rshift__(self, data):
        self.endpoint.receive(data, self.flow, self.now)
        return self.settle()

    def __lshift__(self, expected):
        assert self.sends, f"nothing goes out, {expected} was expected; so far {self.log}"
        assert summary(self.sends.pop(0).message) == expected, f"so far {self.log}"
        return self

    def answer(self, code, *, contact="<sip:srs@127.0.0.1:5060>;+sip.srs", headers=(), event=None):
        """The application answers the newest request (or that of `event`)."""
        event = event or next(e for e in reversed(self.events) if isinstance(e, RequestReceived))
        made = response(event.request, code)
        made.headers.set("Contact", contact)
        for name, value in headers:
            made.headers.add(name, value)
        self.dialog = self.endpoint.respond(event.transaction, made, self.now)
        return self.settle()

    def settle(self):
        """Collect what the endpoint did; its output must be what `parse` reads."""
        for send in self.endpoint.outgoing():
            if "400" not in summary(send.message):  # which lacks what the request lacked
                assert bytes(parse(send.data)) == send.data
            self.sends.append(send)
            self.log.append((round(self.now, 6), summary(send.message)))
            self.last[summary(send.message)] = send
            if isinstance(send.message, Response) and send.message.to_address.tag:
                self.tag = send.message.to_address.tag
        self.events += self.endpoint.events()
        return self

    def wait(self, seconds):
        """Let time pass; timers fire at their own moments."""
        end = self.now + seconds
        while (at := self.endpoint.next_timer()) is not None and at <= end:
            assert at >= self.now
            self.now = at
            self.endpoint.handle_timers(self.now)
            self.settle()
        self.now = end
        return self

    def established(self):
        """A dialog that the peer's INVITE made, CSeq 1."""
        (self >> self.request("INVITE", 1) << "100 INVITE").answer(200) << "200 INVITE"
        return self >> self.within("ACK", 1, branch="z9hG4bK-ack")

    # What is asked afterwards

    def happened(self, kind):
        """The events of one type."""
        return [event for event in self.events if isinstance(event, kind)]

    def times(self, what):
        """When messages of this summary went out."""
        return [at for at, said in self.log if said == what]

    def silent(self):
        assert not self.sends, f"goes out unexpectedly: {self.sends[0].message}; {self.log}"
        return self


@pytest.fixture
def talk():
    return Talk()


@pytest.fixture
def stream_talk():
    return Talk("TCP")


@pytest.fixture(scope="session")
def new_talk():
    """The class, for tests that need many."""
    return Talk


@pytest.fixture(params=LOOPS)
def run(request):
    """Run a coroutine on either loop; what a handler raises on the loop is kept in `run.failures`."""

    def runner(coroutine):
        with asyncio.Runner(loop_factory=request.param) as loops:
            loops.get_loop().set_exception_handler(lambda _, context: runner.failures.append(context.get("exception")))
            loops.run(coroutine)
        assert runner.failures == runner.expected

    runner.failures, runner.expected = [], []
    return runner
