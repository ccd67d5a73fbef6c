"""Where posts may go: a company's own servers, but by default not this machine nor what only it can reach.

Whoever may change settings on the pages says where webhooks go; they are not to learn what answers on the recorder's
loopback, nor what a cloud tells its machines at link-local addresses.
"""

import http.client
import socket
import urllib.request
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from srs.handoff.errors import NeedsPerson

SETTING = "[tasks] local_targets"


def is_local(address: str) -> bool:
    """Whether an address is of this machine, link-local, or of nobody in particular."""
    found = ip_address(address.partition("%")[0])
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_loopback or found.is_link_local or found.is_unspecified or found.is_multicast


def refuse(address: str) -> None:
    """
    Raises:
        NeedsPerson: nothing is sent there.
    """
    if is_local(address):
        raise NeedsPerson(f"{address} is local to this machine: nothing is sent there unless {SETTING} allows it")


def _refuse_any(host: str | None) -> None:
    """Before anything is connected; a name that has no address fails when it is."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return
    for each in found:
        refuse(str(each[4][0]))


class _Plain(http.client.HTTPConnection):
    def connect(self) -> None:
        _refuse_any(self.host)
        super().connect()
        refuse(self.sock.getpeername()[0])  # the name may have got another address meanwhile


class _Secure(_Plain, http.client.HTTPSConnection):
    pass


class _PlainHandler(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Plain, request)


class _SecureHandler(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Secure, request)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What was signed for one server is not sent to another."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401
        return None


def opener(*, local: bool) -> Callable[..., Any]:
    """What opens a request.

    Args:
        local: whether this machine may be reached too.
    """
    guards = [] if local else [_PlainHandler, _SecureHandler]
    return urllib.request.build_opener(_NoRedirect, *guards).open
