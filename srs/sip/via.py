"""Via (RFC 3261 §20.42, RFC 3581), read tolerantly.

sipmessage's Via refuses host names with `_` and percent-encodes parameter values, which spoils `received=::1`.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from srs.sip import parameters
from srs.sip.parameters import PARSED, Parameters

_VIA = re.compile(
    r"\s*SIP\s*/\s*2\.0\s*/\s*([^\s;,]+)\s+(\[[^\]]*\]|[^\s:;,\[\]]+)\s*(?::\s*([0-9]{1,5}))?\s*(;.*)?",
    re.DOTALL | re.IGNORECASE,
)
DEFAULT_PORTS = {"TLS": 5061}


@dataclass(frozen=True, slots=True)
class Via:
    """One hop: where the response to a request goes."""

    transport: str  # upper case: UDP, TCP, TLS
    host: str  # IPv6 in brackets
    port: int | None
    parameters: Parameters

    @classmethod
    @lru_cache(PARSED)
    def parse(cls, text: str) -> "Via":
        """Read one Via value.

        Raises:
            ValueError: the text has not the form of a Via.
        """
        found = _VIA.fullmatch(text)
        if found is None:
            raise ValueError(f"no Via: {text[:80]!r}")
        transport, host, port, tail = found.groups()
        return cls(transport.upper(), host, int(port) if port else None, parameters.parse(tail or ""))

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {self.host}{port}{parameters.render(self.parameters)}"

    @property
    def branch(self) -> str:
        return self.parameters.get("branch") or ""

    @property
    def sent_by(self) -> tuple[str, int]:
        """Host (IPv6 without brackets) and port, with the transport's default port (RFC 3261 §18.1.1)."""
        return self.host.strip("[]").lower(), self.port or DEFAULT_PORTS.get(self.transport, 5060)

    def received_from(self, source: tuple[str, int]) -> "Via":
        """The Via as the server that got the request from `source` completes it (RFC 3261 §18.2.1, RFC 3581 §4)."""
        address, port = source
        changes: dict[str, str | None] = {}
        if "rport" in self.parameters:
            changes = {"rport": str(port), "received": address}
        elif self.sent_by[0] != address:
            changes = {"received": address}
        return replace(self, parameters={**self.parameters, **changes}) if changes else self

    def response_address(self) -> tuple[str, int]:
        """Where a response goes over UDP (RFC 3261 §18.2.2, RFC 3581 §4), read from what `received_from` returned.

        Without rport that is the sent-by port, not the source port: Cisco gateways send from another port than they
        listen on.
        """
        host, port = self.listener
        rport = self.parameters.get("rport") or ""
        return host, int(rport) if rport.isascii() and rport.isdigit() else port

    @property
    def listener(self) -> tuple[str, int]:
        """Where a response goes when the connection of the request is gone (RFC 3261 §18.2.2)."""
        host, port = self.sent_by
        return self.parameters.get("received") or host, port
