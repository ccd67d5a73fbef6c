"""What can be wrong with a message.

SipError              a request that gets an error response; knows which
├── MalformedError    400 or 505: no SIP message as RFC 3261 §7 writes it
└── TooLargeError     513: more octets than this server takes
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from srs.sip.message import Request


class SipError(ValueError):
    """A message that is refused.

    Attributes:
        status: the status code of the response that says so.
        reason: its reason phrase.
        headers: further header fields of that response, such as Unsupported or Retry-After.
        request: as much of the request as an answer needs; None when it cannot be answered.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        request: "Request | None" = None,
    ) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.headers = headers
        self.request = request


class MalformedError(SipError):
    """The octets form no SIP message."""

    def __init__(self, reason: str, *, status: int = 400, request: "Request | None" = None) -> None:
        super().__init__(status, reason, request=request)


class TooLargeError(SipError):
    """The message is larger than this server takes."""

    def __init__(self, reason: str, *, request: "Request | None" = None) -> None:
        super().__init__(513, reason, request=request)
