"""What the two halves of a user agent share: transactions, dialogs, timers, and the messages and events that wait."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from srs.sip.dialog import Dialog, DialogId
from srs.sip.events import AckTimeout, Event, TransactionTimeout, TransportFailed
from srs.sip.flow import Flow, Send
from srs.sip.message import Message, Request, Response
from srs.sip.transaction import (
    ACCEPTANCE,
    INVITE_SERVER,
    NON_INVITE_SERVER,
    Alarms,
    Do,
    Input,
    Timer,
    Timers,
    Transaction,
)

METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "UPDATE", "INFO")


def own_address(flow: Flow) -> tuple[str, int]:
    """The address we name in Via when nothing else is configured: that of our socket."""
    return flow.local


class Core:
    """Holds the state of a user agent; the halves derive from it and fill it."""

    def __init__(
        self,
        *,
        token: Callable[[], str],
        timers: Timers = Timers(),  # noqa: B008 - frozen
        supported: frozenset[str] = frozenset(),
        allow: tuple[str, ...] = METHODS,
        advertise: Callable[[Flow], tuple[str, int]] = own_address,
    ) -> None:
        """
        Args:
            token: gives unguessable tokens for tags and branches, a new one at each call.
            timers: T1, T2 and T4.
            supported: the option tags that Require may name.
            allow: the methods that the application answers, for Allow.
            advertise: the address in Via of our requests on a flow.
        """
        self.counts: Counter[str] = Counter()
        self.supported = supported
        self.allow = allow
        self._token = token
        self._timers = timers
        self._advertise = advertise
        self._alarms = Alarms()
        self._transactions: dict[tuple[object, ...], Transaction] = {}
        self._merged: dict[tuple[object, ...], Transaction] = {}
        self._dialogs: dict[DialogId, Dialog] = {}
        self._answering: dict[DialogId, Transaction] = {}  # the peer's re-INVITE that waits for our final response
        self._inviting: dict[DialogId, Transaction] = {}  # our re-INVITE that waits for the peer's
        self._acceptances: dict[DialogId, list[Transaction]] = {}  # our 2xx to INVITE that wait for ACK
        self._connections: dict[Flow, set[Transaction]] = {}  # the open connections and what depends on them
        self._sends: list[Send] = []
        self._events: list[Event] = []

    def outgoing(self) -> list[Send]:
        """The messages to send since the last call, in order."""
        sends, self._sends = self._sends, []
        return sends

    def events(self) -> list[Event]:
        """What happened since the last call, in order."""
        events, self._events = self._events, []
        return events

    def next_timer(self) -> float | None:
        """When `handle_timers` wants to be called, None when no timer runs."""
        return self._alarms.next()

    def handle_timers(self, now: float) -> None:
        """Let the timers fire that are due."""
        for transaction, timer, _ in self._alarms.due(now):
            self._step(transaction, timer, now)

    def connection_lost(self, flow: Flow, now: float) -> None:
        """A connection broke, or one to `flow.remote` (connection 0) could not be opened.

        Requests of ours that wait on it have failed; responses go to the sent-by address of the client instead
        (RFC 3261 §18.2.2).
        """
        for transaction in self._connections.pop(flow, set()):
            if flow.connection and transaction.machine in (INVITE_SERVER, NON_INVITE_SERVER, ACCEPTANCE):
                self._attach(transaction, replace(flow, remote=transaction.request.via.listener, connection=0))
            else:
                self._step(transaction, Input.BROKEN, now)

    def dialog(self, dialog_id: DialogId) -> Dialog | None:
        """The dialog as it stands now, None when it has ended."""
        return self._dialogs.get(dialog_id)

    def dialogs(self) -> list[Dialog]:
        """All dialogs, for a checkpoint."""
        return list(self._dialogs.values())

    def restore(self, dialog: Dialog) -> None:
        """Go on with a dialog of another process."""
        self._dialogs[dialog.id] = dialog

    def forget(self, dialog_id: DialogId) -> None:
        """Drop a dialog without a word to the peer, whose requests get 481 from now on."""
        self._dialogs.pop(dialog_id, None)
        for transaction in self._acceptances.pop(dialog_id, []):
            transaction.stop()
            self._remove(transaction)

    def _start(self, transaction: Transaction, now: float) -> None:
        self._transactions[transaction.key] = transaction
        if transaction.flow.reliable:
            self._attach(transaction, transaction.flow)
        transaction.start(now, self._timers)
        self._alarms.watch(transaction, {})

    def _attach(self, transaction: Transaction, flow: Flow) -> None:
        transaction.flow = flow
        self._connections.setdefault(flow, set()).add(transaction)

    def _step(self, transaction: Transaction, event: Input | Timer, now: float) -> tuple[Do, ...]:
        """Give a transaction an input and do what it orders, except ACK and PASS, which are returned."""
        before = dict(transaction.deadlines)
        orders = transaction.step(event, now, self._timers)
        self._alarms.watch(transaction, before)
        if Do.SEND in orders:
            self._transmit(transaction)
        if not transaction.alive:
            self._remove(transaction)
        if Do.TIMED_OUT in orders:
            self._timed_out(transaction)
        if Do.BROKEN in orders:
            self._events.append(TransportFailed(transaction))
        return orders

    def _transmit(self, transaction: Transaction) -> None:
        if transaction.message is not None:
            self._sends.append(Send(transaction.flow, transaction.data, transaction.message))

    def _send(self, flow: Flow, message: Request | Response) -> None:
        self._sends.append(Send(flow, bytes(message), message))

    def _timed_out(self, transaction: Transaction) -> None:
        if transaction.machine is not ACCEPTANCE:
            self._events.append(TransactionTimeout(transaction))
        elif dialog := self._dialogs.get(transaction.dialog_id or ("", "", "")):
            first = not transaction.request.to_address.tag
            self._events.append(AckTimeout(dialog, transaction.request.cseq.sequence, first))

    def _remove(self, transaction: Transaction) -> None:
        """Forget a transaction that has ended."""
        self._transactions.pop(transaction.key, None)
        if transaction.merge_key is not None:
            self._merged.pop(transaction.merge_key, None)
        if transaction.flow in self._connections:
            self._connections[transaction.flow].discard(transaction)
        self._release(transaction)

    def _release(self, transaction: Transaction) -> None:
        """Let go what a dialog holds of a transaction that has its final response or has ended."""
        dialog_id = transaction.dialog_id
        if dialog_id is None:
            return
        for waiting in (self._answering, self._inviting):
            if waiting.get(dialog_id) is transaction:
                del waiting[dialog_id]
        if transaction.machine is ACCEPTANCE and dialog_id in self._acceptances:
            left = [other for other in self._acceptances[dialog_id] if other is not transaction]
            self._acceptances[dialog_id] = left
            if not left:
                del self._acceptances[dialog_id]
        if transaction.request.method == "BYE":
            self.forget(dialog_id)

    def _dialog_of(self, message: Message, *, ours: bool) -> Dialog | None:
        """The dialog of a message: `ours` says whether From is our side."""
        tags = message.from_address.tag, message.to_address.tag
        local, remote = tags if ours else tags[::-1]
        return self._dialogs.get((message.call_id, local, remote))
