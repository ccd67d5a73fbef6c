"""RTP and RTCP port pairs: an even port for RTP, the next for RTCP (RFC 3550 §11)."""

import errno
import socket
from dataclasses import dataclass

from rtp.port import open_port


class NoPorts(Exception):
    """Every pair of the range is in use."""


@dataclass(frozen=True, slots=True)
class Pair:
    rtp: socket.socket
    rtcp: socket.socket
    port: int
    """Of RTP; RTCP has the next."""
    number: int = 0
    """By which the processes know it."""
    since_ns: int = 0
    """UTC; what came before is not of the session that it serves."""

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


class PortRange:
    """Binds pairs round the range, so that a port rests as long as possible before it serves another call."""

    def __init__(self, first: int, last: int) -> None:
        self._first = first + first % 2
        self._pairs = (last + 1 - self._first) // 2
        self._next = 0

    def bind(self, address: str, number: int = 0) -> Pair:
        """The next free pair on an address, to be known by a number.

        Raises:
            NoPorts: all are in use.
            OSError: the address is not one of this host.
        """
        for _ in range(self._pairs):
            port = self._first + 2 * self._next
            self._next = (self._next + 1) % self._pairs
            try:
                return _bind_pair(address, port, number)
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
        raise NoPorts(f"all {self._pairs} RTP port pairs on {address} are in use: widen [media] ports")


def _bind_pair(address: str, port: int, number: int) -> Pair:
    rtp = open_port(address, port)
    try:
        return Pair(rtp, open_port(address, port + 1), port, number)
    except OSError:
        rtp.close()
        raise
