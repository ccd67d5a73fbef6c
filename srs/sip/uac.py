"""The user agent client (RFC 3261 §8.1): requests go out, responses come in."""

from collections.abc import Iterable

from srs.sip.address import Address, host_port
from srs.sip.core import Core
from srs.sip.dialog import Dialog, DialogId, established
from srs.sip.errors import SipError
from srs.sip.events import ResponseReceived
from srs.sip.flow import Flow, Send
from srs.sip.message import Message, Request, Response, make_request
from srs.sip.parameters import Parameters
from srs.sip.transaction import INVITE_CLIENT, NON_INVITE_CLIENT, Do, Input, State, Transaction
from srs.sip.via import Via

MAGIC = "z9hG4bK"  # RFC 3261 §8.1.1.7
Fields = Iterable[tuple[str, str]]


class UserAgentClient(Core):
    """The client half of a user agent."""

    def request(self, request: Request, flow: Flow, now: float) -> Transaction:
        """Send a request outside dialogs, with From, To, Call-ID, CSeq and for INVITE Contact; the rest is added.

        On a stream transport a flow with connection 0 opens a connection.
        """
        from_ = request.headers["From"]
        if not Address.parse(from_).tag:
            request.headers.set("From", f"{from_};tag={self._token()}")
        return self._dispatch(request, flow, now)

    def request_within(
        self, dialog_id: DialogId, method: str, now: float, *, headers: Fields = (), body: bytes = b""
    ) -> Transaction:
        """Send a request within a dialog. BYE ends the dialog when it is answered or given up.

        Raises:
            SipError: 481, there is no such dialog (any more); 491, an INVITE of either side waits for its answer.
        """
        dialog = self._dialogs.get(dialog_id)
        if dialog is None:
            raise SipError(481, "Call/Transaction Does Not Exist")
        if method == "INVITE" and (dialog_id in self._inviting or dialog_id in self._answering):
            raise SipError(491, "Request Pending")
        dialog, request = dialog.request(method, headers, body)
        self._dialogs[dialog_id] = dialog
        transaction = self._dispatch(request, self._way(dialog), now, dialog_id)
        if method == "INVITE":
            self._inviting[dialog_id] = transaction
        return transaction

    def acknowledge(self, transaction: Transaction, dialog: Dialog, *, headers: Fields = (), body: bytes = b"") -> None:
        """Send the ACK for a 2xx to our INVITE, and again whenever that 2xx is repeated (§13.2.2.4)."""
        flow = self._way(dialog)
        ack = self._complete(dialog.ack(transaction.request.cseq.sequence, headers, body), flow)
        send = Send(flow, bytes(ack), ack)
        transaction.acknowledged[dialog.remote_tag] = send
        self._sends.append(send)

    def cancel(self, transaction: Transaction, now: float) -> None:
        """Take an INVITE back (§9.1): at once when a provisional response is here, else when one comes.

        An INVITE that has its final response is left alone; the application then sees that response.
        """
        if transaction.state is State.CALLING:
            transaction.cancelling = True
        elif transaction.state is State.PROCEEDING:
            transaction.cancelling = False
            copied = [("CSeq", f"{transaction.request.cseq.sequence} CANCEL")]
            self._track(_companion(transaction.request, "CANCEL", copied), transaction.flow, now)

    def _way(self, dialog: Dialog) -> Flow:
        """The connection on which the peer was heard, or else where its target points."""
        return dialog.flow if dialog.flow in self._connections else dialog.next_hop()

    def _dispatch(self, request: Request, flow: Flow, now: float, dialog_id: DialogId | None = None) -> Transaction:
        return self._track(self._complete(request, flow), flow, now, dialog_id)

    def _complete(self, request: Request, flow: Flow) -> Request:
        """Add Via with a new branch, and Max-Forwards (§8.1.1)."""
        host, _, port = host_port(self._advertise(flow)).rpartition(":")
        parameters: Parameters = {"branch": MAGIC + self._token(), "rport": None}
        request.headers.set("Via", str(Via(flow.transport, host, int(port), parameters)))
        if request.headers.get("Max-Forwards") is None:
            request.headers.set("Max-Forwards", "70")
        return request

    def _track(self, request: Request, flow: Flow, now: float, dialog_id: DialogId | None = None) -> Transaction:
        machine = INVITE_CLIENT if request.method == "INVITE" else NON_INVITE_CLIENT
        key = ("client", request.via.branch, request.method)
        transaction = Transaction(machine, key, request, flow, dialog_id=dialog_id)
        transaction.message, transaction.data = request, bytes(request)
        self._start(transaction, now)
        self._transmit(transaction)
        return transaction

    def _response_received(self, response: Response, flow: Flow, data: bytes, now: float) -> None:
        transaction = self._transactions.get(("client", response.via.branch, response.cseq.method))
        event = Input.of(response.code)
        orders = self._step(transaction, event, now) if transaction is not None else ()
        if transaction is None or not orders:
            self.counts["unmatched responses"] += 1
            return
        if Do.ACK in orders:
            self._acknowledge_failure(transaction, response)
        if event is not Input.PROVISIONAL:
            self._release(transaction)
        elif transaction.cancelling:
            self.cancel(transaction, now)
        if Do.PASS in orders:
            self._pass(transaction, response, flow, data)

    def _pass(self, transaction: Transaction, response: Response, flow: Flow, data: bytes) -> None:
        """Tell a response, unless it is a 2xx that was acknowledged before."""
        known = transaction.acknowledged.get(response.to_address.tag)
        if known is not None:
            self._sends.append(known)
            return
        dialog = self._dialog_after(transaction, response, flow)
        self._events.append(ResponseReceived(transaction, response, flow, dialog, data))

    def _dialog_after(self, transaction: Transaction, response: Response, flow: Flow) -> Dialog | None:
        """The dialog that a response belongs to, makes, or changes."""
        dialog = self._dialog_of(response, ours=True)
        if not 200 <= response.code < 300:
            return dialog
        if dialog is not None:
            dialog = dialog.answered(response)
        elif transaction.request.method == "INVITE" and transaction.dialog_id is None:
            dialog = established(transaction.request, response, flow)
        if dialog is not None:
            self._dialogs[dialog.id] = dialog
        return dialog

    def _acknowledge_failure(self, transaction: Transaction, response: Response) -> None:
        """§17.1.1.3: the ACK for 3xx to 6xx takes To of the response and all else of the INVITE."""
        copied = [("CSeq", f"{transaction.request.cseq.sequence} ACK")]
        self._send(transaction.flow, _companion(transaction.request, "ACK", copied, to=response))


def _companion(invite: Request, method: str, headers: Fields, *, to: Message | None = None) -> Request:
    """The CANCEL of an INVITE, or the ACK of its error response: same branch, same path."""
    request = make_request(method, invite.uri, headers)
    request.headers.set("Via", str(invite.via))
    for name in ("Route", "From", "Call-ID", "Max-Forwards"):
        if values := invite.headers.getlist(name):
            request.headers.setlist(name, values)
    request.headers.set("To", (to or invite).headers["To"])
    return request
