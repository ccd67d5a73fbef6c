"""A SIP client for a few requests."""

import secrets

from support.recorder import Recorder, udp

from srs.sip.message import Response, parse

SDP = """\
v=0
o=sbc 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 30000 RTP/AVP 0
a=label:1
a=sendonly
m=audio 30002 RTP/AVP 0
a=label:2
a=sendonly
""".replace("\n", "\r\n")
"""An offer of two legs."""


class Phone:
    """A client over one UDP socket, one call at a time."""

    def __init__(self, recorder: Recorder, own: str = "sip:sbc@example.com") -> None:
        self.recorder, self.own = recorder, own
        self.socket = udp(recorder.host)
        self.socket.settimeout(10)
        self.call_id = secrets.token_hex(8)
        self.tag = ""

    def send(
        self, method: str, cseq: int, *headers: str, body: str = "", content_type: str = "application/sdp"
    ) -> None:
        host, port = self.socket.getsockname()[:2]
        lines = [
            f"{method} sip:srs@{host} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{method}{cseq}{self.call_id};rport",
            "Max-Forwards: 70",
            f"From: <{self.own}>;tag=a",
            f"To: <sip:srs@example.com>{self.tag}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:sbc@{host}:{port}>;+sip.src",
            *headers,
            *([f"Content-Type: {content_type}"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        data = ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
        self.socket.sendto(data, (self.recorder.host, self.recorder.port))

    def receive(self):
        while True:
            message = parse(self.socket.recv(65535))
            if not isinstance(message, Response) or message.code != 100:
                return message

    def ask(
        self, method: str, cseq: int, *headers: str, body: str = "", content_type: str = "application/sdp"
    ) -> Response:
        self.send(method, cseq, *headers, body=body, content_type=content_type)
        answer = self.receive()
        if method == "INVITE":
            tag = self.tag or f";tag={answer.to_address.tag}"
            self.tag, kept = tag, self.tag
            self.send("ACK", cseq)
            self.tag = tag if answer.code == 200 else kept
        return answer
