"""The path of a message between two sockets, and a message on its path."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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

    def to_dict(self) -> dict[str, Any]:
        """The flow as JSON takes it."""
        return {
            "transport": self.transport,
            "local": self.local,
            "remote": self.remote,
            "connection": self.connection,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Flow":
        """What `to_dict` wrote, also after a way through JSON."""
        local, remote = ((address[0], address[1]) for address in (values["local"], values["remote"]))
        return cls(values["transport"], local, remote, values["connection"])

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
