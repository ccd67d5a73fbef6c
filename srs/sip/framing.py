"""SIP messages out of a byte stream, cut by Content-Length (RFC 3261 §18.3), without I/O."""

from collections.abc import Iterator

from srs.sip.errors import MalformedError, SipError, TooLargeError
from srs.sip.message import BLANK_LINE, answerable, content_length, read_head

PING = b"\r\n\r\n"  # keep-alive, to be answered with PONG (RFC 5626 §4.4.1)
PONG = b"\r\n"

LARGEST_HEAD = 64 << 10  # octets
LARGEST_BODY = 4 << 20

_LONGEST_BLANK_LINE = 4  # octets


class Framer:
    """Cuts the messages of one connection. After an error the stream has no frames any more and must be closed."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # octets in which the header block does not end
        self._wanted: int | None = None  # octets of the message, once its header block is there

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages, and PINGs between them, that are complete with `data`. The iterator must be used up.

        Raises:
            MalformedError: 400, there is no Content-Length to cut by, or it cannot be read.
            TooLargeError: 513, the header block or the body is too large.
        """
        self._buffer += data
        while (frame := self._next()) is not None:
            yield frame

    @property
    def waiting(self) -> bytes:
        """What came of a message that is not complete."""
        return bytes(self._buffer)

    def _next(self) -> bytes | None:
        if self._wanted is None:
            if self._buffer.startswith(PING):
                return self._cut(len(PING))
            if self._between():
                return None
            self._wanted = self._measure()
        if self._wanted is None or len(self._buffer) < self._wanted:
            return None
        return self._cut(self._wanted)

    def _cut(self, length: int) -> bytes:
        frame = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._searched, self._wanted = 0, None
        return frame

    def _between(self) -> bool:
        """Drop line ends before a message; whether nothing is left but what may become a PING."""
        if not PING.startswith(self._buffer) and self._buffer[0] in b"\r\n":
            self._buffer[:] = self._buffer.lstrip(b"\r\n")
        return PING.startswith(self._buffer)

    def _measure(self) -> int | None:
        """The length of the message at the start of the buffer, None while its header block is not complete."""
        end = BLANK_LINE.search(self._buffer, max(0, self._searched - _LONGEST_BLANK_LINE + 1))
        if (end.start() if end else len(self._buffer)) > LARGEST_HEAD:
            raise TooLargeError("Header Block Too Large")
        if end is None:
            self._searched = len(self._buffer)
            return None
        return end.end() + _body_length(bytes(self._buffer[: end.start()]))


def _body_length(head: bytes) -> int:
    message = read_head(head)
    try:
        length = content_length(message)
        if length is None:
            raise MalformedError("Missing Content-Length")
        if length > LARGEST_BODY:
            raise TooLargeError("Message Too Large")
    except SipError as error:
        error.request = answerable(message)
        raise
    return length
