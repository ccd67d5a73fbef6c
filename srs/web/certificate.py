"""A certificate for the pages of a recorder that was given none: signed by itself, made at the first start."""

import os
import socket
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from srs.config import Settings

LIFETIME: Final = timedelta(days=397)
"""Longer ones browsers refuse."""
RENEW: Final = timedelta(days=30)


def files(settings: Settings, now: datetime) -> tuple[Path, Path]:
    """Certificate and key: those of the settings, else our own, made or renewed where needed.

    Raises:
        OSError: they cannot be written.
    """
    if settings.web.certificate and settings.web.key:
        return settings.web.certificate, settings.web.key
    folder = settings.data_dir / "web"
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    address = settings.web.address
    assert address is not None
    if not _is_fit(certificate, key, address[0], now):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(certificate, key, address[0], now)
    return certificate, key


def fingerprint(certificate: Path) -> str:
    """SHA-256, as browsers show it."""
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    return found.fingerprint(hashes.SHA256()).hex(":").upper()


def _is_fit(certificate: Path, key: Path, host: str, now: datetime) -> bool:
    if not (certificate.exists() and key.exists()):
        return False
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    return now < found.not_valid_after_utc - RENEW and ip_address(host) in names.get_values_for_type(x509.IPAddress)


def _make(certificate: Path, key: Path, host: str, now: datetime) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "siprec-srs")])
    addresses = dict.fromkeys([ip_address(host), ip_address("127.0.0.1"), ip_address("::1")])
    names = [x509.DNSName("localhost"), x509.DNSName(socket.gethostname()), *map(x509.IPAddress, addresses)]
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    _write(
        key,
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    _write(certificate, built.public_bytes(serialization.Encoding.PEM))


def _write(path: Path, content: bytes) -> None:
    unfinished = path.with_suffix(".part")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor with its mode
        file.write(content)
    unfinished.replace(path)
