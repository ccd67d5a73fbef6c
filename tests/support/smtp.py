"""A mail server in its own process (aiosmtpd), with TLS and AUTH, that misbehaves as a test asks.

What it took lies in its folder, one file a mail; `behaviour.json` there says how it behaves, read anew at every step.
"""

import asyncio
import base64
import email
import email.policy
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from support.recorder import free_port, until

USER, PASSWORD = "recorder", "geheim"


class Server:
    """A running server, seen from a test."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    def behave(self, **how: Any) -> None:
        """`rcpt={address: reply}`, `data="451 later"`, `hang` or `drop`; nothing: as it should."""
        (self.folder / "behaviour.json").write_text(json.dumps(how))

    def mails(self) -> list[EmailMessage]:
        """What it took, each with `X-RcptTo` and `X-Peer`."""
        found = sorted(self.folder.glob("*.eml"), key=lambda path: int(path.stem))
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in found]

    def recipients(self) -> list[str]:
        """Of all mails, in the order in which they came."""
        return [to for mail in self.mails() for to in mail["X-RcptTo"].split(", ")]


@contextmanager
def server(folder: Path, *, tls: str = "none", files: tuple[Path, Path] | None = None, **more: Any) -> Iterator[Server]:
    """Run one.

    Args:
        tls: `none`, `starttls` or `tls`, with certificate and key in `files`.
        more: `size` (octets that it takes), `auth` (whether one must sign in), `token` (that XOAUTH2 takes).
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port("127.0.0.1")
    options = {"folder": str(folder), "port": port, "tls": tls, "files": [str(path) for path in files or ()], **more}
    with (folder / "log").open("ab") as log:
        path = os.pathsep.join([str(Path(__file__).parent.parent), *sys.path[1:]])
        command = [sys.executable, "-m", "support.smtp", json.dumps(options)]
        process = subprocess.Popen(command, stderr=log, stdout=log, env={**os.environ, "PYTHONPATH": path})
    try:
        until((folder / "ready").exists, lambda: (folder / "log").read_text())
        yield Server(folder, port)
    finally:
        process.kill()
        process.wait()
        (folder / "ready").unlink(missing_ok=True)


REPLIES = [
    b"220 hello\r\n",
    b"250-hello\r\n250 SIZE\r\n",
    *[b"250 ok\r\n"] * 3,  # NOOP, MAIL, RCPT
    b"354 go on\r\n",
]


@contextmanager
def broken_server(replies: int, end: str) -> Iterator[int]:
    """A server that gives so many replies, then hangs (`hang`) or is gone (`drop`); after all in mid-data. Its port."""
    over = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for reply in REPLIES[:replies]:
                connection.sendall(reply)
                connection.recv(1000)
            if end == "hang":
                over.wait()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1])
        over.set()
        thread.join()


class _Handler:
    def __init__(self, folder: Path, token: str | None) -> None:
        self.folder, self.token = folder, token

    async def auth_XOAUTH2(self, server, arguments):  # noqa: N802
        """As Google and Microsoft do it: what is wrong comes as a challenge, which the client answers with nothing."""
        given = base64.b64decode(arguments[1]).decode()
        if self.token is not None and given == f"user={USER}\1auth=Bearer {self.token}\1\1":
            return AuthResult(success=True)
        await server.challenge_auth('{"status": "400"}')
        return AuthResult(success=False, handled=False)

    def _how(self) -> dict[str, Any]:
        path = self.folder / "behaviour.json"
        return json.loads(path.read_text()) if path.exists() else {}

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        reply = self._how().get("rcpt", {}).get(address)
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        how = self._how().get("data")
        if how == "hang":
            await asyncio.sleep(3600)
        if how == "drop":
            server.transport.abort()
            return "421 gone"
        if how:
            return how
        number = len(list(self.folder.glob("*.eml")))
        head = f"X-RcptTo: {', '.join(envelope.rcpt_tos)}\r\nX-Peer: {session.peer[1]}\r\n"
        unfinished = self.folder / f"{number}.part"
        unfinished.write_bytes(head.encode() + envelope.content)
        unfinished.rename(self.folder / f"{number}.eml")
        return "250 taken"


def _authenticate(server, session, envelope, mechanism, data) -> AuthResult:
    expected = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=data == expected, handled=False)


def main() -> None:
    options = json.loads(sys.argv[1])
    folder = Path(options["folder"])
    context = None
    if options["files"]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*options["files"])
    how = {"data_size_limit": options.get("size", 33554432)}
    if options.get("auth"):
        how |= {"authenticator": _authenticate, "auth_required": True, "auth_require_tls": options["tls"] == "starttls"}
    if options["tls"] == "starttls":
        how |= {"tls_context": context, "require_starttls": True}
    controller = Controller(
        _Handler(folder, options.get("token")),
        hostname="127.0.0.1",
        port=options["port"],
        ssl_context=context if options["tls"] == "tls" else None,
        **how,
    )
    controller.start()
    (folder / "ready").touch()
    controller._thread.join()


if __name__ == "__main__":
    main()
