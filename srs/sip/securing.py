"""TLS connections that clients open: accepted here, since a server of asyncio tells nobody why a handshake failed."""

import asyncio
import socket
import ssl
from collections.abc import Callable

import structlog

from srs.sip.address import host_port
from srs.tasks import spawn

log = structlog.get_logger()

HANDSHAKE_S = 10.0
BREATH_S = 1.0
"""Until connections are accepted again when there are no descriptors for them."""


class SecureListener:
    """Accepts connections on a bound socket and gives those that are secure a protocol, until it is closed."""

    def __init__(
        self, sock: socket.socket, context: ssl.SSLContext, protocol: Callable[[], asyncio.Protocol], backlog: int
    ) -> None:
        sock.listen(backlog)
        self._context, self._protocol = context, protocol
        self._accepting = spawn(self._accept(sock), f"accept TLS on {host_port(sock.getsockname()[:2])}")

    def close(self) -> None:
        """Accept no more; the connections stay."""
        self._accepting.cancel()

    async def _accept(self, sock: socket.socket) -> None:
        with sock:
            while True:
                try:
                    connection, remote = await asyncio.get_running_loop().sock_accept(sock)
                except OSError as error:
                    log.error("no TLS connection accepted", reason=error.strerror)
                    await asyncio.sleep(BREATH_S)
                else:
                    source = host_port(remote[:2])
                    spawn(self._secure(connection, source), f"TLS handshake with {source}")

    async def _secure(self, connection: socket.socket, source: str) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol, connection, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_S
            )
        except OSError as error:  # ssl.SSLError is one
            log.warning("TLS handshake failed", source=source, reason=_reason(error))


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return str(error) or "the client went away: it may not trust the recorder's certificate"
