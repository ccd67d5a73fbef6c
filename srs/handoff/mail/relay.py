"""Mail servers: a connection that is kept for the next mail, and another server when one fails."""

import asyncio
import ssl
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from aiosmtplib import SMTP, SMTPException, SMTPRecipientsRefused, SMTPResponseException

from srs.config.mail import MailServer
from srs.handoff.errors import NotNow

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said for one recipient."""

    code: int
    reply: str
    server: str

    @property
    def accepted(self) -> bool:
        return 200 <= self.code < 300

    @property
    def refused(self) -> bool:
        """For good (RFC 5321 section 4.2.1)."""
        return self.code >= 500


class Relays:
    """The servers of the settings; the one that worked last comes first. For one thread."""

    def __init__(self, servers: Sequence[MailServer]) -> None:
        self._servers = deque(servers)
        self._runner = asyncio.Runner()
        self._client: SMTP | None = None

    def size(self) -> int | None:
        """Octets that the server takes of a mail (RFC 1870), if it says so.

        Raises:
            NotNow: no server is to be had.
        """
        return self._runner.run(self._size())

    def send(self, sender: str, recipients: Sequence[str], mail: bytes) -> dict[str, Answer]:
        """Hand a mail to a server; what it said, for each recipient.

        Raises:
            NotNow: no server is to be had, or it was lost in the middle.
        """
        return self._runner.run(self._send(sender, recipients, mail))

    def close(self) -> None:
        if self._client is not None:
            _drop(self._client, self._client.transport)
        self._runner.close()

    async def _size(self) -> int | None:
        client = await self._connected()
        told = client.esmtp_extensions.get("size", "")
        return int(told) if told.isdecimal() and int(told) > 0 else None

    async def _send(self, sender: str, recipients: Sequence[str], mail: bytes) -> dict[str, Answer]:
        client = await self._connected()
        server, transport = self._servers[0].host, client.transport
        try:
            refused, reply = await client.sendmail(sender, recipients, mail)
        except SMTPRecipientsRefused as error:
            return {each.recipient: Answer(each.code, each.message, server) for each in error.recipients}
        except SMTPResponseException as error:  # of sender or data: all of it
            if error.code == 421:
                self._give_up(client)
            return dict.fromkeys(recipients, Answer(error.code, error.message, server))
        except (SMTPException, OSError) as error:
            _drop(client, transport)
            self._give_up(client)
            raise NotNow(f"mail server {server}: {_words(error)}") from error
        answers = {recipient: Answer(each.code, each.message, server) for recipient, each in refused.items()}
        return dict.fromkeys(recipients, Answer(250, reply, server)) | answers

    def _give_up(self, client: SMTP) -> None:
        """The next time another server comes first."""
        client.close()
        self._client = None
        self._servers.rotate(-1)

    async def _connected(self) -> SMTP:
        """The connection there is, if it is alive; else to the first server that takes one."""
        if self._client is not None and await _is_alive(self._client):
            return self._client
        failures = []
        for server in list(self._servers):
            try:
                self._client = await _connect(server)
            except (SMTPException, OSError, ValueError) as error:
                failures.append(f"{server.host}:{server.port}: {_words(error)}")
                self._servers.rotate(-1)
            else:
                return self._client
        raise NotNow(f"no mail server: {'; '.join(failures) or 'there is no [[mail.server]]'}")


def _drop(client: SMTP, transport: asyncio.BaseTransport | None) -> None:
    """End a connection now: closed only, it waits for a server that hangs to take the rest, or to end TLS.

    Args:
        transport: of the client when it was still connected.
    """
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
    client.close()


async def _is_alive(client: SMTP) -> bool:
    try:
        return client.is_connected and (await client.noop()).code == 250
    except (SMTPException, OSError):
        client.close()
        return False


async def _connect(server: MailServer) -> SMTP:
    client = SMTP(
        hostname=server.host,
        port=server.port,
        timeout=server.timeout_s,
        use_tls=server.tls == "tls",
        start_tls=server.tls == "starttls",
        tls_context=None if server.tls == "none" else _context(server),
    )
    await client.connect()
    try:
        await client.ehlo()
        await _sign_in(client, server)
    except BaseException:
        _drop(client, client.transport)
        raise
    return client


def _context(server: MailServer) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=server.authorities)
    if not server.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _sign_in(client: SMTP, server: MailServer) -> None:
    if server.user is None:
        return
    if server.auth == "xoauth2":
        if server.token_file is None:
            raise ValueError("xoauth2 needs token_file")
        await client.auth_xoauth2(server.user, server.token_file.read_text().strip())
        return
    sign_in = client.auth_plain if server.auth == "plain" else client.auth_login
    await sign_in(server.user, server.password.get_secret_value() if server.password else "")


def _words(error: Exception) -> str:
    code = f"{error.code} " if isinstance(error, SMTPResponseException) else ""
    return f"{code}{getattr(error, 'message', '') or error or type(error).__name__}"
