"""Addresses of From, To, Contact and the route headers (RFC 3261 §20.10), and the URIs in them, read tolerantly.

sipmessage's own Address and URI refuse what real clients send (users with `~`-less escapes, hosts with `_`, parameters
inside `<>`, empty parameters), so the texts are kept as they came and only the parts that are needed are cut out.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from srs.sip import parameters
from srs.sip.parameters import PARSED, Parameters

_QUOTED = re.compile(r'\s*"((?:[^"\\]|\\.)*)"')
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?:([^@]*)@)?(\[[^\]]*\]|[^:;?]*)(?::([0-9]{1,5}))?([;?].*)?", re.DOTALL)
TRANSPORTS = ("UDP", "TCP", "TLS")
_TARGET = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"]+')


@dataclass(frozen=True, slots=True)
class Address:
    """A name-addr or addr-spec with its parameters."""

    uri: str
    name: str = ""  # display name, without quotes
    parameters: Parameters = field(default_factory=dict)

    @classmethod
    @lru_cache(PARSED)
    def parse(cls, text: str) -> "Address":
        """Read `"Name" <uri>;parameters` or `uri;parameters`; nothing is refused, what is missing is empty."""
        quoted = _QUOTED.match(text)
        name, rest = (re.sub(r"\\(.)", r"\1", quoted[1]), text[quoted.end() :]) if quoted else ("", text)
        before, bracket, inside = rest.partition("<")
        if not bracket:
            uri, semicolon, tail = rest.partition(";")
            return cls(uri.strip(), name, parameters.parse(semicolon + tail))
        uri, _, tail = inside.partition(">")
        return cls(uri.strip(), name or before.strip(), parameters.parse(tail))

    def __str__(self) -> str:
        name = '"' + re.sub(r'(["\\])', r"\\\1", self.name) + '" ' if self.name else ""
        return f"{name}<{self.uri}>{parameters.render(self.parameters)}"

    @property
    def tag(self) -> str:
        """The tag, or "" where there is none, as in requests of RFC 2543 clients."""
        return self.parameters.get("tag") or ""

    @property
    def is_target(self) -> bool:
        """Whether a request can be addressed to the URI. `<<sip:…>;+sip.src>` of OpenSIPS cannot."""
        return _TARGET.fullmatch(self.uri) is not None


@dataclass(frozen=True, slots=True)
class Uri:
    """The parts of a sip or sips URI that say where a request goes (RFC 3261 §19.1)."""

    scheme: str  # lower case
    user: str  # as written, with escapes; "" where there is none
    host: str  # IPv6 without brackets
    port: int | None
    parameters: Parameters

    @classmethod
    def parse(cls, text: str) -> "Uri":
        """Read any URI; other schemes than sip keep their opaque part as `host`; a text without scheme has ""."""
        found = _URI.fullmatch(text.strip())
        if found is None:
            return cls("", "", text.strip(), None, {})
        scheme, user, host, port, tail = found.groups()
        found_parameters = parameters.parse((tail or "").partition("?")[0])
        return cls(scheme.lower(), user or "", host.strip("[]"), int(port) if port else None, found_parameters)

    @property
    def literal(self) -> bool:
        """Whether the host is an IP address, so that no name service is needed."""
        return is_literal(self.host)


def is_literal(host: str) -> bool:
    """Whether `host` is an IPv4 or IPv6 address (without brackets)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def host_port(address: tuple[str, int]) -> str:
    """`host:port` as URIs and Via write it: IPv6 in brackets."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class ListenError(ValueError):
    """A URL to listen on that cannot be served; the message says why."""


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """What a URL such as `udp://0.0.0.0:5060` or `tcp://[::1]:0` says."""

    transport: str  # one of TRANSPORTS
    host: str  # IPv6 without brackets
    port: int

    @classmethod
    def parse(cls, url: str) -> "ListenAddress":
        """Read a URL; the port is 5060 where none is given, for TLS 5061.

        Raises:
            ListenError: it has another form, or its transport is not served.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ListenError(f"{url}: {error}") from error
        if not host or parts.path.strip("/"):
            raise ListenError(f"{url}: expected something like udp://0.0.0.0:5060")
        if parts.scheme.upper() not in TRANSPORTS:
            raise ListenError(f"{url}: {parts.scheme or 'no transport'} is not served; udp, tcp and tls are")
        usual = 5061 if parts.scheme.upper() == "TLS" else 5060
        return cls(parts.scheme.upper(), host, usual if port is None else port)

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    def __str__(self) -> str:
        return f"{self.transport.lower()}://{host_port(self.address)}"
