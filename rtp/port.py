"""UDP sockets that packets are recorded from. Bound in one process, drained in another: no numpy here."""

import socket

SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
SO_MEMINFO = 55
"""Options of Linux that Python does not name (asm-generic/socket.h, 64-bit)."""
_MEMINFO_FIELDS = 9
_MEMINFO_DROPS = 8  # SK_MEMINFO_DROPS of linux/sock_diag.h

RECEIVE_BUFFER = 1 << 20
"""Octets asked for; the kernel doubles it. Holds 5 s of 10 ms packets, each of which costs it up to 2.3 kB."""


def open_port(address: str, port: int) -> socket.socket:
    """Bind a UDP socket that stamps its datagrams in the kernel (ns) and holds at least 5 s of a stream.

    The buffer may be smaller where the process lacks CAP_NET_ADMIN and net.core.rmem_max is low.

    Args:
        address: IPv4 or IPv6 address of this host, also a wildcard or with a %scope.
        port: 0 for any.

    Raises:
        OSError: in use, not an address of this host, or not an address.
    """
    family, kind, protocol, _, name = socket.getaddrinfo(
        address, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )[0]
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        _enlarge(opened)
        opened.bind(name)
    except OSError:
        opened.close()
        raise
    return opened


def _enlarge(opened: socket.socket) -> None:
    try:
        opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except PermissionError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


class Port:
    """A socket of `open_port` while it is recorded."""

    __slots__ = ("address", "number", "packed", "packets", "port", "socket", "version", "wanted")

    def __init__(self, opened: socket.socket, address: str | None = None, number: int = 1) -> None:
        """
        Args:
            opened: stays the caller's, who also closes it.
            address: what the datagrams are addressed to, where the socket is bound to a wildcard.
            number: from 1 to 2**32 - 1, by which another process knows this socket; see `Receiver.recover`.
        """
        name = opened.getsockname()
        self.socket = opened
        self.version = 6 if opened.family == socket.AF_INET6 else 4
        self.address: str = (address or name[0]).partition("%")[0]
        self.packed = socket.inet_pton(opened.family, self.address)
        self.port: int = name[1]
        self.number = number
        self.packets = 0
        """Datagrams taken from the socket."""
        self.wanted = 0
        """Of each drain so many records, the last ones, are shown to the caller."""

    @property
    def dropped(self) -> int:
        """Datagrams that the kernel has dropped since the socket was opened, because its buffer was full.

        The same counter as that of SO_RXQ_OVFL, which tells it only with the next datagram that still comes.
        """
        info = self.socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4 * _MEMINFO_FIELDS)
        return int.from_bytes(info[4 * _MEMINFO_DROPS : 4 * _MEMINFO_FIELDS], "little")
