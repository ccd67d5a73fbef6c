"""The user agent server (RFC 3261 §8.2): requests come in, responses go out."""

import zlib
from dataclasses import replace

from srs.sip.address import Uri
from srs.sip.core import METHODS, Core
from srs.sip.dialog import Dialog, DialogId, accepted
from srs.sip.errors import SipError
from srs.sip.events import AckReceived, Cancelled, Rejected, RequestReceived
from srs.sip.flow import Flow
from srs.sip.message import Request, Response, add_to_tag, response
from srs.sip.parameters import split_list
from srs.sip.transaction import (
    ACCEPTANCE,
    INVITE_SERVER,
    NON_INVITE_SERVER,
    Do,
    Input,
    State,
    Transaction,
)

KNOWN_METHODS = frozenset({*METHODS, "MESSAGE", "NOTIFY", "PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE"})
SCHEMES = frozenset({"sip", "sips", "tel"})


class UserAgentServer(Core):
    """The server half of a user agent."""

    def respond(self, transaction: Transaction, response: Response, now: float) -> Dialog | None:
        """Answer a request. A 2xx to INVITE makes or keeps a dialog, which is returned, and is repeated until its ACK.

        To gets our tag. A provisional answer that nobody has collected yet is left out (§17.2.1). An answer that comes
        too late, because the client cancelled or another answer went out, is only counted.
        """
        event = Input.of(response.code)
        if not transaction.takes(event):
            self.counts["late answers"] += 1
            return None
        if response.code > 100:
            add_to_tag(response, transaction.tag)
        if (provisional := transaction.message) is not None:
            self._sends = [send for send in self._sends if send.message is not provisional]
        transaction.message, transaction.data = response, bytes(response)
        self._step(transaction, event, now)
        if event is Input.PROVISIONAL:
            return None
        self._release(transaction)
        if event is Input.SUCCESS and transaction.request.method == "INVITE":
            return self._accepted(transaction, response, now)
        return None

    def resume(self, dialog: Dialog, request: Request, ok: Response, flow: Flow, now: float) -> None:
        """Go on with a dialog of another process whose 2xx to an INVITE, `ok`, had no ACK yet: it is sent once more.

        Retransmissions of the INVITE, which came on `flow`, get it again, too.
        """
        stamp(request, flow)
        transaction = Transaction(
            INVITE_SERVER, _key(request), request, _reply_flow(request, flow), tag=dialog.local_tag
        )
        transaction.dialog_id = dialog.id if request.to_address.tag else None
        self._start(transaction, now)
        self.restore(dialog)
        self.respond(transaction, ok, now)
        self.restore(dialog)

    def reject(self, error: SipError, data: bytes, flow: Flow) -> None:
        """Refuse octets that are no proper message, with an answer where one is possible; nothing is remembered."""
        self.counts["malformed"] += 1
        if error.request is not None:
            stamp(error.request, flow)
            refusal = response(error.request, error.status, error.reason, to_tag=self._token())
            self._send(_reply_flow(error.request, flow), refusal)
        self._events.append(Rejected(error.request, flow, data, error.status, error.reason))

    def _request_received(self, request: Request, flow: Flow, data: bytes, now: float) -> None:
        stamp(request, flow)
        key = _key(request)
        known = self._transactions.get(key)
        if request.method == "ACK":
            self._ack_received(request, known, flow, data, now)
        elif known is not None:
            self.counts["repeated requests"] += 1
            self._step(known, Input.REQUEST, now)
        else:
            self._begin(key, request, flow, data, now)

    def _begin(self, key: tuple[object, ...], request: Request, flow: Flow, data: bytes, now: float) -> None:
        machine = INVITE_SERVER if request.method == "INVITE" else NON_INVITE_SERVER
        transaction = Transaction(machine, key, request, _reply_flow(request, flow), tag=self._token())
        self._start(transaction, now)
        try:
            if request.method == "CANCEL":
                self._cancelled(transaction, flow, data, now)
                return
            dialog = self._admit(transaction)
        except SipError as error:
            self._refuse(transaction, error, now)
            self._events.append(Rejected(request, flow, data, error.status, error.reason))
            return
        if request.method == "INVITE":
            self.respond(transaction, response(request, 100), now)
        elif request.method == "BYE" and dialog is not None:
            self._end(dialog.id, now)
        self._events.append(RequestReceived(transaction, request, flow, dialog, data))

    def _refuse(self, transaction: Transaction, error: SipError, now: float) -> None:
        refusal = response(transaction.request, error.status, error.reason)
        for name, value in error.headers:
            refusal.headers.add(name, value)
        self.respond(transaction, refusal, now)

    def _admit(self, transaction: Transaction) -> Dialog | None:
        """Inspect a request as §8.2 and §12.2.2 say; the dialog it belongs to.

        Raises:
            SipError: why it is refused.
        """
        request = transaction.request
        self._check_method(request.method)
        if Uri.parse(request.uri).scheme not in SCHEMES:
            raise SipError(416, "Unsupported URI Scheme")
        self._check_require(request)
        if request.to_address.tag:
            dialog = self._continue(transaction)
            self._check_package(request)
            return dialog
        if request.method in ("BYE", "UPDATE", "INFO"):
            raise SipError(481, "Call/Transaction Does Not Exist")
        self._check_merged(transaction)
        return None

    def _check_method(self, method: str) -> None:
        if method not in KNOWN_METHODS:
            raise SipError(501, "Not Implemented", headers=(("Allow", ", ".join(self.allow)),))
        if method not in self.allow:
            raise SipError(405, "Method Not Allowed", headers=(("Allow", ", ".join(self.allow)),))

    def _check_require(self, request: Request) -> None:
        unknown = [tag for tag in request.list("Require") if tag.lower() not in self.supported]
        if unknown:
            raise SipError(420, "Bad Extension", headers=(("Unsupported", ", ".join(unknown)),))

    def _check_package(self, request: Request) -> None:
        """No info package is wanted (RFC 6086 §4.2.2); INFO without one, as of old, is for the application."""
        if request.method == "INFO" and request.headers.get("Info-Package") is not None:
            raise SipError(469, "Bad Info Package", headers=(("Recv-Info", ""),))

    def _check_merged(self, transaction: Transaction) -> None:
        """Whether the same request is here already by another path (§8.2.2.2)."""
        request = transaction.request
        key = (request.call_id, request.from_address.tag, request.headers["CSeq"])
        if key in self._merged:
            raise SipError(482, "Loop Detected")
        transaction.merge_key = key
        self._merged[key] = transaction

    def _continue(self, transaction: Transaction) -> Dialog:
        """The dialog that goes on with this request."""
        request = transaction.request
        dialog = self._dialog_of(request, ours=False)
        if dialog is None:
            raise SipError(481, "Call/Transaction Does Not Exist")
        if request.method == "INVITE" and dialog.id in self._inviting:
            raise SipError(491, "Request Pending")
        if request.method == "INVITE" and dialog.id in self._answering:
            raise SipError(500, "Request Pending", headers=(("Retry-After", str(self._some_seconds())),))
        dialog = dialog.received(request, transaction.flow)
        self._dialogs[dialog.id] = dialog
        transaction.dialog_id = dialog.id
        transaction.tag = dialog.local_tag
        if request.method == "INVITE":
            self._answering[dialog.id] = transaction
        return dialog

    def _some_seconds(self) -> int:
        """Between 0 and 10, as §14.2 wants for Retry-After."""
        return zlib.crc32(self._token().encode()) % 11

    def _cancelled(self, transaction: Transaction, flow: Flow, data: bytes, now: float) -> None:
        """§9.2: 200 to the CANCEL, 487 to an INVITE that has no final response yet."""
        key = transaction.key
        invite = self._transactions.get((*key[:-1], "INVITE"))
        if invite is None:
            raise SipError(481, "Call/Transaction Does Not Exist")
        transaction.tag = invite.tag
        self.respond(transaction, response(transaction.request, 200), now)
        if invite.state is State.PROCEEDING:
            self.respond(invite, response(invite.request, 487), now)
            self._events.append(Cancelled(invite, transaction.request, flow, data))

    def _accepted(self, transaction: Transaction, ok: Response, now: float) -> Dialog | None:
        """Keep the dialog of a 2xx that went out, and repeat the 2xx until its ACK (§13.3.1.4, on any transport)."""
        request = transaction.request
        if transaction.dialog_id is None:
            dialog = accepted(request, ok, transaction.flow)
        elif transaction.dialog_id in self._dialogs:
            dialog = self._dialogs[transaction.dialog_id]
            dialog = replace(dialog, local_contact=ok.headers.get("Contact") or dialog.local_contact)
        else:
            return None
        self._dialogs[dialog.id] = dialog
        key = ("2xx", dialog.id, request.cseq.sequence)
        acceptance = Transaction(ACCEPTANCE, key, request, transaction.flow, dialog_id=dialog.id)
        acceptance.message, acceptance.data = ok, transaction.data
        self._acceptances.setdefault(dialog.id, []).append(acceptance)
        self._start(acceptance, now)
        return dialog

    def _ack_received(self, request: Request, known: Transaction | None, flow: Flow, data: bytes, now: float) -> None:
        """An ACK of an error response ends in its transaction; that of a 2xx is matched by its dialog and number.

        An older 2xx of the dialog needs no ACK of its own then: OpenSIPS acknowledges only the last of two quick
        re-INVITEs.
        """
        if known is not None and known.state in (State.COMPLETED, State.CONFIRMED):
            self._step(known, Input.ACK, now)
            return
        dialog = self._dialog_of(request, ours=False)
        number = request.cseq.sequence
        waiting = list(self._acceptances.get(dialog.id, ())) if dialog else []
        told = False
        for acceptance in waiting:
            if acceptance.request.cseq.sequence <= number:
                told |= Do.PASS in self._step(acceptance, Input.ACK, now)
        if dialog is not None and told:
            self._events.append(AckReceived(dialog, request, flow, data))
        else:
            self.counts["unmatched ACKs"] += 1

    def _end(self, dialog_id: DialogId, now: float) -> None:
        """End a dialog at the peer's BYE; a re-INVITE that waits gets 487 (§15.1.2)."""
        waiting = self._answering.get(dialog_id)
        if waiting is not None:
            self.respond(waiting, response(waiting.request, 487), now)
        self.forget(dialog_id)


def stamp(request: Request, flow: Flow) -> None:
    """Note in the topmost Via where the request came from (§18.2.1, RFC 3581)."""
    via = request.via
    completed = via.received_from(flow.remote)
    if completed is not via:
        first, *lines = request.headers.getlist("Via")
        request.headers.setlist("Via", [", ".join([str(completed), *split_list(first)[1:]]), *lines])


def _reply_flow(request: Request, flow: Flow) -> Flow:
    """Responses take the connection of the request, or over UDP the way that Via tells."""
    return flow if flow.reliable else replace(flow, remote=request.via.response_address())


def _key(request: Request) -> tuple[object, ...]:
    """What a request, its retransmissions, and for INVITE the ACK of an error have in common (§17.2.3).

    Call-ID and sequence number are part of it, so that clients that draw no unique branch (RFC 2543) are served too.
    """
    via, cseq = request.via, request.cseq
    method = "INVITE" if cseq.method == "ACK" else cseq.method
    return via.branch, via.sent_by, request.call_id, cseq.sequence, method
