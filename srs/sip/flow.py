"""The path of a message between two sockets, and a message on its path."""

from dataclasses import dataclass

from srs.sip.message import Request, Response


@dataclass(frozen=True, slots=True)
class Flow:
    """Where a message came from, and where an answer goes to.

    IPv6 addresses are written without brackets.
    """

    transport: str  # "UDP", "TCP", "TLS"
    local: tuple[str, int]
    remote: tuple[str, int]
    connection: int = (
        0  # which connection of a stream transport; 0: open one to `remote`, or use the one opened so before
    )

    @property
    def reliable(self) -> bool:
        """Whether the transport itself repeats what is lost (RFC 3261 §17)."""
        return self.transport != "UDP"


@dataclass(frozen=True, slots=True)
class Send:
    """A message for the wire."""

    flow: Flow
    data: bytes
    message: Request | Response
