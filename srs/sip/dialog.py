"""Dialogs (RFC 3261 §12): what two user agents must remember of each other to send requests within a call.

A Dialog is a value: it can be written as JSON and go on in another process.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from srs.sip.address import Address, Uri, host_port
from srs.sip.errors import SipError
from srs.sip.flow import Flow
from srs.sip.message import Message, Request, Response, make_request

DialogId = tuple[str, str, str]  # Call-ID, local tag, remote tag


@dataclass(frozen=True, slots=True)
class Dialog:
    """One side's state of a dialog. Addresses and targets are header texts."""

    call_id: str
    local_tag: str
    remote_tag: str  # "" for RFC 2543 clients
    local_address: str  # From of our requests, with tag
    remote_address: str  # To of our requests, with tag
    local_contact: str  # Contact of our requests; "" where we sent none
    remote_target: str  # URI
    route_set: tuple[str, ...]
    local_cseq: int  # of our last request, 0 before the first
    remote_cseq: int | None  # of the peer's last request, None before the first
    initiator: bool  # whether our INVITE made the dialog; we then own the Call-ID (RFC 3261 §14.1)
    flow: Flow  # on which the peer was heard last

    @property
    def id(self) -> DialogId:
        return self.call_id, self.local_tag, self.remote_tag

    def received(self, request: Request, flow: Flow) -> "Dialog":
        """The dialog after a request of the peer (§12.2.2); INVITE and UPDATE may move the remote target.

        Raises:
            SipError: 500, the request is older than one that came before.
        """
        number = request.cseq.sequence
        if self.remote_cseq is not None and number < self.remote_cseq:
            raise SipError(500, "CSeq Out of Order")
        return replace(self, remote_cseq=number, flow=flow, remote_target=_refreshed(request, self.remote_target))

    def answered(self, response: Response) -> "Dialog":
        """The dialog after a 2xx of the peer to our INVITE or UPDATE (§12.2.1.2)."""
        return replace(self, remote_target=_refreshed(response, self.remote_target))

    def request(
        self, method: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> "tuple[Dialog, Request]":
        """A new request within the dialog, and the dialog after it (§12.2.1.1)."""
        cseq = self.local_cseq + 1
        return replace(self, local_cseq=cseq), self._build(method, cseq, headers, body)

    def ack(self, cseq: int, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> Request:
        """The ACK of a 2xx to our INVITE with that sequence number (§13.2.2.4)."""
        return self._build("ACK", cseq, headers, body)

    def _build(self, method: str, cseq: int, headers: Iterable[tuple[str, str]], body: bytes) -> Request:
        uri, routes = self._addressing()
        contact = [("Contact", self.local_contact)] if self.local_contact and method != "BYE" else []
        fixed = [
            *(("Route", route) for route in routes),
            ("From", self.local_address),
            ("To", self.remote_address),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq} {method}"),
        ]
        return make_request(method, uri, [*fixed, *contact, *headers], body)

    def _addressing(self) -> tuple[str, tuple[str, ...]]:
        """Request-URI and Route: a strict router (no `lr`) at the top takes the place of the target (§12.2.1.1)."""
        if not self.route_set:
            return self.remote_target, ()
        top = Address.parse(self.route_set[0])
        if "lr" in Uri.parse(top.uri).parameters:
            return self.remote_target, self.route_set
        return top.uri, (*self.route_set[1:], f"<{self.remote_target}>")

    def next_hop(self) -> Flow:
        """Where our requests go when there is no connection to the peer: the top route or the target (§8.1.2).

        A host name there gives way to the address from which the peer was heard, so that no name service is needed.
        """
        hop = Uri.parse(Address.parse(self.route_set[0]).uri if self.route_set else self.remote_target)
        if not hop.literal:
            return replace(self.flow, connection=0)
        default = 5061 if self.flow.transport == "TLS" else 5060
        return replace(self.flow, remote=(hop.host, hop.port or default), connection=0)

    def to_dict(self) -> dict[str, Any]:
        """The dialog as JSON takes it."""
        return {**{each.name: getattr(self, each.name) for each in fields(self)}, "flow": self.flow.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Dialog":
        """What `to_dict` wrote, also after a way through JSON."""
        flow = Flow.from_dict(values["flow"])
        return cls(**{**values, "route_set": tuple(values["route_set"]), "flow": flow})


def accepted(request: Request, response: Response, flow: Flow) -> Dialog:
    """The dialog that our 2xx to an INVITE makes (§12.1.1)."""
    remote, local = request.from_address, response.to_address
    return Dialog(
        call_id=request.call_id,
        local_tag=local.tag,
        remote_tag=remote.tag,
        local_address=response.headers["To"],
        remote_address=request.headers["From"],
        local_contact=response.headers.get("Contact") or "",
        remote_target=_refreshed(request, _fallback(remote, flow)),
        route_set=tuple(request.list("Record-Route")),
        local_cseq=0,
        remote_cseq=request.cseq.sequence,
        initiator=False,
        flow=flow,
    )


def established(request: Request, response: Response, flow: Flow) -> Dialog:
    """The dialog that the peer's 2xx to our INVITE makes (§12.1.2)."""
    local, remote = request.from_address, response.to_address
    return Dialog(
        call_id=request.call_id,
        local_tag=local.tag,
        remote_tag=remote.tag,
        local_address=request.headers["From"],
        remote_address=response.headers["To"],
        local_contact=request.headers.get("Contact") or "",
        remote_target=_refreshed(response, request.uri),
        route_set=tuple(reversed(response.list("Record-Route"))),
        local_cseq=request.cseq.sequence,
        remote_cseq=None,
        initiator=True,
        flow=flow,
    )


def _refreshed(message: Message, target: str) -> str:
    """The URI of Contact where there is one that can be used, else the target as it was."""
    method = message.method if isinstance(message, Request) else message.cseq.method
    contact = message.contact
    return contact.uri if method in ("INVITE", "UPDATE") and contact and contact.is_target else target


def _fallback(remote: Address, flow: Flow) -> str:
    """A target for a client that gives no usable Contact: its From, or where it was heard."""
    return remote.uri if remote.is_target else f"sip:{host_port(flow.remote)}"
