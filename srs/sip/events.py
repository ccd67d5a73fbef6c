"""What an endpoint tells its application."""

from dataclasses import dataclass

from srs.sip.dialog import Dialog
from srs.sip.flow import Flow
from srs.sip.message import Request, Response
from srs.sip.transaction import Transaction


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """A request the application must answer with `Endpoint.respond`. Retransmissions of it are not told."""

    transaction: Transaction
    request: Request
    flow: Flow
    dialog: Dialog | None  # None outside dialogs; for BYE the dialog that it ended
    data: bytes  # the message as it came


@dataclass(frozen=True, slots=True)
class AckReceived:
    """The ACK of a 2xx to INVITE, told once for each 2xx."""

    dialog: Dialog
    request: Request
    flow: Flow
    data: bytes


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """A response to a request of ours. A 2xx to INVITE waits for `Endpoint.acknowledge`; it is told once."""

    transaction: Transaction
    response: Response
    flow: Flow
    dialog: Dialog | None  # the dialog it belongs to or has made; None when it has ended
    data: bytes


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The client took an INVITE back before it was answered; the endpoint has sent 487."""

    transaction: Transaction  # of the INVITE
    request: Request  # the CANCEL
    flow: Flow
    data: bytes


@dataclass(frozen=True, slots=True)
class AckTimeout:
    """No ACK came for a 2xx in 64·T1. After a first INVITE the application should send BYE (RFC 3261 §13.3.1.4)."""

    dialog: Dialog
    cseq: int  # of the INVITE
    first: bool  # whether that INVITE made the dialog


@dataclass(frozen=True, slots=True)
class TransactionTimeout:
    """No final response to a request of ours (timers B, F), or no ACK to an error response of ours (timer H)."""

    transaction: Transaction


@dataclass(frozen=True, slots=True)
class TransportFailed:
    """A request or response of ours could not be sent, or its connection broke before the answer."""

    transaction: Transaction


@dataclass(frozen=True, slots=True)
class Rejected:
    """The endpoint itself refused what came; when `request` is None, without an answer."""

    request: Request | None
    flow: Flow
    data: bytes
    status: int
    reason: str


Event = (
    RequestReceived
    | AckReceived
    | ResponseReceived
    | Cancelled
    | AckTimeout
    | TransactionTimeout
    | TransportFailed
    | Rejected
)
