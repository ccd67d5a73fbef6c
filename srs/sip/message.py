"""SIP messages (RFC 3261 §7) as real clients send them.

Header storage, CSeq and the compact names are sipmessage's. Its Request and Response are not used: they parse the
Request-URI strictly when a message comes in, so that one odd URI would cost a recording. Ours keep every text as it
came and read parts of it on demand.

The header block is normalised, never the body. Octets that are no UTF-8 survive as surrogate escapes: encode such a
text with errors="surrogateescape" or "replace" before it goes anywhere but into a SIP message.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from sipmessage import CSeq
from sipmessage.message import COMPACT_FORMS

from srs.sip.address import Address
from srs.sip.errors import MalformedError, SipError, TooLargeError
from srs.sip.headers import Headers
from srs.sip.parameters import PARSED, split_list
from srs.sip.via import Via

__all__ = [
    "Address",
    "CSeq",
    "Headers",
    "Message",
    "Request",
    "Response",
    "SipError",
    "Via",
    "make_request",
    "parse",
    "response",
]

BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(r"\r?\n")
_FOLD = re.compile(r"[ \t]*\r?\n[ \t]+")
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_NUMBER = re.compile(r"[0-9]{1,9}")

MOST_FIELDS = 256  # header fields of one message; real ones have up to 60
MANDATORY = (
    "Via",
    "From",
    "To",
    "Call-ID",
    "CSeq",
)  # RFC 3261 §8.1.1, without Max-Forwards, which RFC 2543 clients lack
KEEP_ALIVE = b"\r\n\0"

PHRASES = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    408: "Request Timeout",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    422: "Session Interval Too Small",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "Version Not Supported",
    513: "Message Too Large",
}


_cseq = lru_cache(PARSED)(CSeq.parse)  # read several times of each message


class Message:
    """What requests and responses share. `headers` holds texts under their full names; the properties read them.

    Messages that `parse` returned have all mandatory fields; the 400 to a broken request may lack some.
    """

    __slots__ = ("body", "headers")

    def __init__(self, body: bytes = b"") -> None:
        self.headers = Headers()
        self.body = body

    @property
    def start_line(self) -> str:
        raise NotImplementedError

    @property
    def call_id(self) -> str:
        return self.headers.get("Call-ID") or ""

    @property
    def cseq(self) -> CSeq:
        """Sequence number and method.

        Raises:
            ValueError: there is none to read; never on a message that `parse` returned.
        """
        return _cseq(self.headers["CSeq"])

    @property
    def from_address(self) -> Address:
        return Address.parse(self.headers.get("From") or "")

    @property
    def to_address(self) -> Address:
        return Address.parse(self.headers.get("To") or "")

    @property
    def via(self) -> Via:
        """The topmost Via.

        Raises:
            ValueError: there is none to read; never on a message that `parse` returned.
        """
        value = self.headers.get("Via")
        return Via.parse(value if value and "," not in value else self.list("Via")[0])

    @property
    def contact(self) -> Address | None:
        """The first Contact, None when there is none."""
        contacts = self.list("Contact")
        return Address.parse(contacts[0]) if contacts else None

    def list(self, name: str) -> "list[str]":
        """The elements of a header that is a comma-separated list, over all its lines; empty values give none."""
        return [element for value in self.headers.getlist(name) for element in split_list(value)]

    def set_body(self, content_type: str, body: bytes) -> None:
        self.headers.set("Content-Type", content_type)
        self.body = body

    def __bytes__(self) -> bytes:
        """The message for the wire; Content-Length always tells the length of the body."""
        self.headers.set("Content-Length", str(len(self.body)))
        return f"{self.start_line}\r\n{self.headers}".encode("utf-8", "surrogateescape") + self.body

    def __repr__(self) -> str:
        return f"<{self.start_line}>"


class Request(Message):
    """A request; `uri` is the text of the Request-URI, whatever it is."""

    __slots__ = ("method", "uri")

    def __init__(self, method: str, uri: str, body: bytes = b"") -> None:
        super().__init__(body)
        self.method = method
        self.uri = uri

    @property
    def start_line(self) -> str:
        return f"{self.method} {self.uri} SIP/2.0"


class Response(Message):
    """A response."""

    __slots__ = ("code", "phrase")

    def __init__(self, code: int, phrase: str, body: bytes = b"") -> None:
        super().__init__(body)
        self.code = code
        self.phrase = phrase

    @property
    def start_line(self) -> str:
        return f"SIP/2.0 {self.code} {self.phrase}"


def parse(data: bytes) -> Request | Response:
    """Read one message: a datagram, or what framing cut from a stream.

    Octets after Content-Length are dropped; without Content-Length the body reaches to the end (RFC 3261 §18.3).

    Raises:
        MalformedError: the octets form no SIP message; `request` is set where it can be answered.
        TooLargeError: there are more header fields than any client sends.
    """
    data = data.lstrip(b"\r\n")
    separator = BLANK_LINE.search(data)
    head, body = (data[: separator.start()], data[separator.end() :]) if separator else (data, b"")
    message = read_head(head)
    try:
        if separator is None:
            raise MalformedError("Header Block Not Terminated")
        _check(message)
        length = content_length(message)
        if length is not None and length > len(body):
            raise MalformedError("Body Shorter Than Content-Length")
    except MalformedError as error:
        error.request = answerable(message)
        raise
    message.body = body[:length]
    return message


def read_head(head: bytes) -> Request | Response:
    """The message without its body, read from start line and header lines; whether they are complete is not looked at.

    Raises:
        MalformedError: the start line is none.
        TooLargeError: there are too many header fields.
    """
    text = head.decode("utf-8", "surrogateescape")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    start, *lines = _LINE_END.split(text)
    message, trouble = _read_start(start)
    if len(lines) > MOST_FIELDS:
        raise TooLargeError("Too Many Header Fields")
    for line in lines:
        name, colon, value = line.partition(":")
        if colon and (field := _field(name)):
            message.headers.add(field, value.replace("\r", " ").strip())
    if trouble is not None:
        trouble.request = answerable(message)
        raise trouble
    return message


@lru_cache(PARSED)
def _field(name: str) -> str | None:
    """The name of a header field, a compact one in full; None: it is none."""
    name = name.strip()
    return COMPACT_FORMS.get(name.lower(), name) if _TOKEN.fullmatch(name) else None


def _read_start(line: str) -> tuple[Request | Response, MalformedError | None]:
    """The message that a start line begins, and what is wrong with it though it can be answered.

    Raises:
        MalformedError: it is no start line.
    """
    parts = line.split(None, 2)
    if len(parts) >= 2 and parts[0].upper() == "SIP/2.0" and re.fullmatch("[1-6][0-9][0-9]", parts[1]):
        return Response(int(parts[1]), parts[2].strip() if len(parts) == 3 else ""), None
    method, uri, version = parts if len(parts) == 3 else ("", "", "")
    trouble = None
    if len(version.split()) > 1:
        trouble, version = MalformedError("Blank in Request-URI"), version.split()[-1]
    if not _TOKEN.fullmatch(method) or not version.upper().startswith("SIP/"):
        raise MalformedError("Start Line Not Understood")
    if trouble is None and version.strip().upper() != "SIP/2.0":
        trouble = MalformedError("Version Not Supported", status=505)
    return Request(method, uri), trouble


def _check(message: Request | Response) -> None:
    """Whether the fields are there that every message needs, and can be read.

    Raises:
        MalformedError: which one is wrong.
    """
    for name in MANDATORY:
        if not message.headers.get(name):
            raise MalformedError(f"Missing {name}")
    cseq = _readable_cseq(message)
    if cseq is None:
        raise MalformedError("CSeq Not Understood")
    if not _has_via(message):
        raise MalformedError("Via Not Understood")
    if isinstance(message, Request) and cseq.method != message.method:
        raise MalformedError("CSeq Method Does Not Match")


def _readable_cseq(message: Message) -> CSeq | None:
    try:
        cseq = message.cseq
    except (KeyError, ValueError):
        return None
    return cseq if cseq.sequence < 1 << 31 else None  # RFC 3261 §8.1.1.5


def _has_via(message: Message) -> bool:
    try:
        return bool(message.via)
    except (IndexError, ValueError):
        return False


def content_length(message: Message) -> int | None:
    """The value of Content-Length, None when there is none.

    Raises:
        MalformedError: it is no number, or two lines disagree.
    """
    values = set(message.headers.getlist("Content-Length"))
    if not values:
        return None
    value = values.pop()
    if values or not _NUMBER.fullmatch(value):
        raise MalformedError("Content-Length Not Understood")
    return int(value)


def answerable(message: Request | Response) -> Request | None:
    """The message if it is a request whose response could find its way back, else None. ACK is never answered."""
    if not isinstance(message, Request) or message.method == "ACK" or not _has_via(message):
        return None
    return message


def response(request: Request, status: int, phrase: str | None = None, *, to_tag: str = "") -> Response:
    """A response with the fields of `request` that RFC 3261 §8.2.6 copies, and Record-Route for dialogs (§12.1.1)."""
    made = Response(status, phrase or PHRASES.get(status, "Unknown"))
    for name in MANDATORY:
        for value in request.headers.getlist(name):
            made.headers.add(name, value)
    if 100 < status < 300:
        for value in request.headers.getlist("Record-Route"):
            made.headers.add("Record-Route", value)
    if to_tag:
        add_to_tag(made, to_tag)
    return made


def add_to_tag(message: Message, tag: str) -> None:
    """Put `tag` on To unless it has one, or there is no To."""
    to = message.headers.get("To")
    if to and not Address.parse(to).tag:
        message.headers.set("To", f"{to};tag={tag}")


def make_request(method: str, uri: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> Request:
    """A request of our own with these header fields; the endpoint adds Via and Max-Forwards."""
    request = Request(method, uri, body)
    for name, value in headers:
        request.headers.add(name, value)
    return request
