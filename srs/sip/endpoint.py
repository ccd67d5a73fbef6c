"""A SIP user agent without I/O and without a clock: octets in, octets out, and events that tell what happened.

    endpoint.receive(data, flow, now)       a message that came in
    endpoint.handle_timers(now)             at endpoint.next_timer()
    endpoint.respond(transaction, …, now)   the answer to a request
    endpoint.request_within(dialog_id, …)   a request of our own
    endpoint.events()                       what happened: srs.sip.events
    endpoint.outgoing()                     what is to be sent

After each call the caller drains events and outgoing messages. `now` is in seconds of a monotonic clock.
"""

from srs.sip.errors import SipError
from srs.sip.flow import Flow
from srs.sip.message import KEEP_ALIVE, Request, parse
from srs.sip.uac import UserAgentClient
from srs.sip.uas import UserAgentServer


class Endpoint(UserAgentServer, UserAgentClient):
    """A user agent: server and client over the same transactions and dialogs (RFC 3261 §6)."""

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one message, a datagram or what framing cut from a stream. Nothing that is in it raises."""
        if not data.strip(KEEP_ALIVE):
            self.counts["keep-alives"] += 1
            return
        if flow.reliable:
            self._connections.setdefault(flow, set())
        try:
            message = parse(data)
        except SipError as error:
            self.reject(error, data, flow)
            return
        if isinstance(message, Request):
            self._request_received(message, flow, data, now)
        else:
            self._response_received(message, flow, data, now)
