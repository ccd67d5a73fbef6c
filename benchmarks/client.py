"""A recording client that costs little: as many calls as are asked for, at a steady rate, over one UDP socket.

It times each INVITE to its 200: until the kernel had the answer, for how long this process waits for a core is not the
recorder's doing. RTP is not its business: `traffic` sends that to the ports that were answered.
"""

import heapq
import re
import secrets
import select
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rtp.port import SO_TIMESTAMPNS
from srs.siprec import body, metadata

RESEND_S = 0.5
"""T1 of RFC 3261 §17."""
GIVE_UP = 8
"""Sendings of one INVITE."""
BUFFER = 4 << 20
PARTIES = ("sip:alice@example.com", "sip:bob@example.com")
_STATUS = re.compile(rb"SIP/2\.0 (\d{3})")
_CALL_ID = re.compile(rb"\r\nCall-ID: *(\S+)", re.IGNORECASE)
_METHOD = re.compile(rb"\r\nCSeq: *\d+ +(\w+)", re.IGNORECASE)
_TO = re.compile(rb"\r\nTo: *([^\r]*)", re.IGNORECASE)
_STAMP = struct.Struct("qq")
"""When the kernel received a datagram: seconds and nanoseconds, UTC."""
_PORT = re.compile(rb"\r\nm=audio (\d+)")


@dataclass(slots=True)
class Call:
    """One recording session of ours."""

    call_id: str
    invite: bytes
    sent: int = 0
    """How often the INVITE left."""
    began_s: float = 0.0
    answered_s: float | None = None
    """From the first INVITE to its 200."""
    to: str = ""
    ports: Sequence[int] = ()
    """The RTP ports of the recorder, caller first."""
    ended: bool = False
    refused: int | None = None
    refused_s: float | None = None
    """From the first INVITE to its refusal."""


@dataclass(slots=True, order=True)
class _Task:
    due: float
    number: int
    call: Call = field(compare=False)
    bye: bool = field(compare=False)


class Client:
    """Speaks to one recorder."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.bind((target[0], 0))
        self._socket.connect(target)
        self._local: tuple[str, int] = self._socket.getsockname()
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._calls: dict[bytes, Call] = {}
        self._tasks: list[_Task] = []
        self._numbers = 0

    def close(self) -> None:
        self._socket.close()

    def make(self, count: int, rate: float, hold_s: float | None = None) -> list[Call]:
        """Make calls, `rate` new ones a second, and wait for the answers.

        Args:
            hold_s: seconds after which each is hung up; None: they stay.
        """
        calls = [self._new() for _ in range(count)]  # before the clock runs
        begin = time.perf_counter() + 0.1
        for number, call in enumerate(calls):
            self._at(begin + number / rate, call)
            if hold_s is not None:
                self._at(begin + number / rate + hold_s, call, bye=True)
        self._run()
        return calls

    def echoed(self, count: int, rate: float) -> list[float]:
        """Send the octets of INVITEs to somebody who sends them back; the seconds that each took."""
        waited, begin = [], time.perf_counter() + 0.1
        octets = self._invite("echo")
        for number in range(count):
            time.sleep(max(0.0, begin + number / rate - time.perf_counter()))
            sent = time.time()
            self._socket.send(octets)
            waited.append(self._receive()[1] - sent)
        return waited

    def hang_up(self, calls: Sequence[Call], rate: float) -> None:
        """End calls, `rate` a second, and wait for the answers."""
        begin = time.perf_counter()
        for number, call in enumerate(calls):
            self._at(begin + number / rate, call, bye=True)
        self._run()

    def _new(self) -> Call:
        call_id = f"{secrets.token_hex(12)}@{self._local[0]}"
        call = Call(call_id, self._invite(call_id))
        self._calls[call_id.encode()] = call
        return call

    def _at(self, due: float, call: Call, *, bye: bool = False) -> None:
        self._numbers += 1
        heapq.heappush(self._tasks, _Task(due, self._numbers, call, bye))

    def _run(self) -> None:
        while self._tasks:
            wait_s = self._tasks[0].due - time.perf_counter()
            if wait_s > 0.001:
                if self._poll.poll(1000 * (wait_s - 0.0005)):
                    self._hear()
            elif wait_s > 0:
                if self._poll.poll(0):
                    self._hear()
            else:
                self._do(heapq.heappop(self._tasks))

    def _do(self, task: _Task) -> None:
        call = task.call
        if task.bye:
            self._bye(call)
        elif call.answered_s is None and call.refused is None and call.sent < GIVE_UP:
            call.began_s = call.began_s or time.time()
            call.sent += 1
            self._socket.send(call.invite)
            self._at(time.perf_counter() + RESEND_S, call)

    def _bye(self, call: Call) -> None:
        if call.answered_s is not None and not call.ended:
            self._socket.send(self._request("BYE", 2, call))
            self._at(time.perf_counter() + RESEND_S, call, bye=True)

    def _hear(self) -> None:
        data, now = self._receive()
        status, call_id, method = _STATUS.match(data), _CALL_ID.search(data), _METHOD.search(data)
        call = self._calls.get(call_id[1]) if call_id else None
        if call is None or status is None or method is None or status[1].startswith(b"1"):
            return
        if method[1] == b"BYE":
            call.ended = True
        elif status[1] != b"200":
            self._refused(call, int(status[1]), now)
        else:
            self._answered(call, data, now)

    def _receive(self) -> tuple[bytes, float]:
        """A datagram, and when the kernel had it."""
        data, ((_, _, stamp),), _, _ = self._socket.recvmsg(65536, 64)
        seconds, nanoseconds = _STAMP.unpack(stamp)
        return data, seconds + nanoseconds / 1e9

    def _answered(self, call: Call, data: bytes, now: float) -> None:
        if call.answered_s is None:
            to = _TO.search(data)
            assert to
            call.answered_s, call.to = now - call.began_s, to[1].decode()
            call.ports = [int(port) for port in _PORT.findall(data)]
        self._socket.send(self._request("ACK", 1, call))

    def _refused(self, call: Call, status: int, now: float) -> None:
        if call.refused is None:
            call.refused, call.refused_s = status, now - call.began_s
        ack = self._request("ACK", 1, call)
        self._socket.send(ack.replace(b"z9hG4bKACK", b"z9hG4bKINVITE"))  # of the INVITE's transaction (§17.1.1.3)

    def _invite(self, call_id: str) -> bytes:
        host = self._local[0]
        lines = ["v=0", f"o=src 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
        for label in (1, 2):
            lines += [f"m=audio {9998 + 2 * label} RTP/AVP 0", "a=ptime:20", f"a=label:{label}", "a=sendonly"]
        sdp = "\r\n".join([*lines, ""]).encode()
        kind, content = body.build(sdp, metadata.write(call_id, PARTIES))
        more = ["Require: siprec", f"Content-Type: {kind}"]
        return self._message("INVITE", 1, call_id, f"<sip:srs@{self._target[0]}>", more, content)

    def _request(self, method: str, number: int, call: Call) -> bytes:
        return self._message(method, number, call.call_id, call.to)

    def _message(
        self, method: str, number: int, call_id: str, to: str, more: Sequence[str] = (), content: bytes = b""
    ) -> bytes:
        host, port = self._local
        lines = [
            f"{method} sip:srs@{self._target[0]}:{self._target[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{method}{call_id.partition('@')[0]};rport",
            f"From: <sip:src@{host}>;tag=src",
            f"To: {to}",
            f"Call-ID: {call_id}",
            f"CSeq: {number} {method}",
            "Max-Forwards: 70",
            f"Contact: <sip:src@{host}:{port}>;+sip.src",
            *more,
            f"Content-Length: {len(content)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + content
