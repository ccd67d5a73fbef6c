"""Sockets for SIP, without asyncio, so that a process can bind them for another."""

import socket

from srs.sip.address import ListenAddress

UDP_BUFFER = 4 << 20  # octets; a burst of INVITEs of 4 kB each must wait somewhere
SO_RCVBUFFORCE = 33  # known to Linux, not to every Python


def bind(address: ListenAddress) -> socket.socket:
    """A bound socket, not yet listening; IPv6 sockets take no IPv4, which has listeners of its own.

    Raises:
        OSError: the address cannot be had; the message names it.
    """
    kind = socket.SOCK_DGRAM if address.transport == "UDP" else socket.SOCK_STREAM
    try:
        family, _, _, _, target = socket.getaddrinfo(
            address.host, address.port, type=kind, flags=socket.AI_PASSIVE | socket.AI_NUMERICHOST
        )[0]
        sock = socket.socket(family, kind)
    except OSError as error:
        raise OSError(error.errno, f"{address}: {error.strerror}") from error
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            _enlarge(sock)
        sock.bind(target)
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"{address}: {error.strerror}") from error
    return sock


def _enlarge(sock: socket.socket) -> None:
    """A large receive buffer, beyond the system's limit where we may."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, UDP_BUFFER)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_BUFFER)


def address_towards(remote: str) -> str:
    """The address of this host that packets to `remote` leave from.

    Raises:
        OSError: no route.
    """
    with socket.socket(socket.AF_INET6 if ":" in remote else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((remote, 9))
        return str(probe.getsockname()[0])
