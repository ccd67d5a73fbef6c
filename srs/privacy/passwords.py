"""Passwords (argon2) and codes of a second factor (TOTP, RFC 6238)."""

import secrets
from datetime import datetime
from functools import cache
from typing import Final

import pyotp
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from srs.privacy.errors import Misuse

SHORTEST: Final = 12
ISSUER: Final = "siprec-srs"
STEP_S: Final = 30
DRIFT: Final = 1
"""Steps that the clock of a telephone may be off."""


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@cache
def _of_nobody() -> str:
    return _hasher().hash(secrets.token_urlsafe())


def hashed(password: str) -> str:
    """What is kept of a password.

    Raises:
        Misuse: it is too short.
    """
    if len(password) < SHORTEST:
        raise Misuse(f"a password has at least {SHORTEST} characters")
    return _hasher().hash(password)


def one_time() -> str:
    """A password to be shown once and changed at once."""
    return secrets.token_urlsafe(12)


def is_right(password: str, kept: str | None) -> bool:
    """Whether it is the password that was kept; takes as long when none was, so that nobody learns who there is."""
    right = _hasher().verify(password, kept or _of_nobody())
    return right and kept is not None


def new_secret() -> str:
    """Of a second factor, base32."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, name: str) -> str:
    """What an authenticator reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def step_of(code: str, secret: str, now: datetime) -> int | None:
    """The time step that a code is of; None: it is of none that counts now."""
    current = int(now.timestamp()) // STEP_S
    code = "".join(code.split())
    return next((step for step in range(current - DRIFT, current + DRIFT + 1) if _is_code(code, secret, step)), None)


def _is_code(code: str, secret: str, step: int) -> bool:
    return secrets.compare_digest(code.encode(), pyotp.TOTP(secret).at(step * STEP_S).encode())
