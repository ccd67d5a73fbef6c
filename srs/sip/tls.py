"""TLS for SIP (RFC 3261 §26, RFC 7866 §12): version 1.2 or later, the recorder's certificate and whom it trusts.

Certificates are read anew when their files change: the next connection has the new ones, open ones go on.
"""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger()

# Forward secrecy and authenticated encryption only (RFC 9325 §4.2); TLS 1.3 has no others.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


class TlsError(OSError):
    """A certificate or key cannot be used; the message names the file."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The files that say who we are and whom we trust, in PEM."""

    certificate: Path
    """Our certificate with what leads up to the authority's."""
    key: Path
    authorities: Path | None = None
    """Who signs the certificates of clients; None: clients are not asked for one."""
    required: bool = True
    """Whether clients without certificate are turned away; else only a wrong one is."""


class Certificates:
    """The context of a listener; `context` is what it is given, once."""

    def __init__(self, identity: Identity) -> None:
        """
        Raises:
            TlsError: a file cannot be read, or key and certificate do not belong together.
        """
        self._identity = identity
        self._seen = _marks(identity)
        self._newest = self.context = server_context(identity)
        self.context.sni_callback = self._on_hello

    def _on_hello(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """At each handshake: serve it with the files as they are now."""
        self._refresh()
        connection.context = self._newest

    def _refresh(self) -> None:
        try:
            marks = _marks(self._identity)
            if marks == self._seen:
                return
            self._newest = server_context(self._identity)
        except TlsError as error:  # half of a change: what was read before goes on
            log.error("certificate not read anew", reason=str(error))
            return
        self._seen = marks
        log.info("certificate read anew", file=str(self._identity.certificate))


def server_context(identity: Identity) -> ssl.SSLContext:
    """The context to accept connections with.

    Raises:
        TlsError: see `Certificates`.
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER)
    _load(identity.certificate, lambda: context.load_cert_chain(identity.certificate, identity.key))
    if identity.authorities is not None:
        authorities = identity.authorities
        _load(authorities, lambda: context.load_verify_locations(authorities))
        context.verify_mode = ssl.CERT_REQUIRED if identity.required else ssl.CERT_OPTIONAL
    return context


def client_context(authorities: Path | None, own: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    """The context to connect with.

    Args:
        authorities: who signs the server's certificate; None: it is not looked at.
        own: certificate and key that the server may ask for.

    Raises:
        TlsError: a file cannot be used.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = authorities is not None
    if authorities is None:
        context.verify_mode = ssl.CERT_NONE
    else:
        _load(authorities, lambda: context.load_verify_locations(authorities))
    if own is not None:
        _load(own[0], lambda: context.load_cert_chain(*own))
    return context


def names(certificate: Mapping[str, Any]) -> tuple[str, ...]:
    """The names in a certificate, as `getpeercert` gives it: alternative names, URIs as hosts too, else the common name
    (RFC 5922 §7.1)."""
    found = []
    for kind, value in certificate.get("subjectAltName", ()):
        found.append(value.removeprefix("sip:").removeprefix("sips:") if kind == "URI" else value)
    common = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return tuple(dict.fromkeys(name.lower() for name in found or common))


def _context(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    return context


def _load(file: Path, load: Callable[[], None]) -> None:
    try:
        load()
    except (OSError, ssl.SSLError) as error:
        raise TlsError(f"{file}: {error.strerror or error}") from error


def _marks(identity: Identity) -> tuple[tuple[int, int], ...]:
    """What changes with the files."""
    files = [identity.certificate, identity.key, *([identity.authorities] if identity.authorities else [])]
    try:
        return tuple((stat.st_mtime_ns, stat.st_ino) for stat in (file.stat() for file in files))
    except OSError as error:
        raise TlsError(f"{error.filename}: {error.strerror}") from error
