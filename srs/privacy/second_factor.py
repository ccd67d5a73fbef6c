"""The second factor of signing in with a password: codes of an authenticator (TOTP), and recovery codes."""

import secrets
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, delete, func, select

from srs.privacy import passwords
from srs.privacy.errors import Misuse, SignInRefused
from srs.privacy.roles import Assignment
from srs.privacy.tables import RecoveryCode, User
from srs.privacy.tokens import digest

CODES: Final = 8
"""Recovery codes that are made at once."""
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that is taken for another one."""


def proof(session: Session, user: User, code: str | None, now: datetime) -> str | None:
    """By what a user whose password was right may come in, in words; None: not by that code. A code is good once."""
    if user.totp_secret is None:
        return "password"
    step = passwords.step_of(code or "", user.totp_secret, now)
    if step is not None:
        fresh = step > user.totp_step
        user.totp_step = max(step, user.totp_step)
        return "password and code" if fresh else None
    return "password and recovery code" if _use_up(session, user, code or "") else None


def _use_up(session: Session, user: User, code: str) -> bool:
    """Whether it was a recovery code of the user; it is none any more."""
    kept = session.get(RecoveryCode, (user.id, digest(_plain(code))), with_for_update=True)
    if kept is not None:
        session.delete(kept)
    return kept is not None


def _plain(code: str) -> str:
    return "".join(code.lower().replace("-", "").split())


def is_lacking(user: User, roles: Iterable[Assignment], wanted: Collection[str]) -> bool:
    """Whether somebody who signs in with a password must get a second factor first.

    Args:
        wanted: names of the roles that need one.
    """
    return user.password is not None and user.totp_secret is None and any(each.role in wanted for each in roles)


# Getting one


def begin(user: User) -> str:
    """A secret, to be shown as QR code (`passwords.enrolment_uri`); it holds when a code of it was given."""
    user.totp_pending = passwords.new_secret()
    return user.totp_pending


def finish(session: Session, user: User, code: str, now: datetime) -> list[str]:
    """Put the secret that was begun in force.

    Returns:
        Recovery codes, to be shown once.

    Raises:
        Misuse: nothing was begun.
        SignInRefused: the code is wrong.
    """
    if user.totp_pending is None:
        raise Misuse(f"no second factor of {user.name} was begun")
    step = passwords.step_of(code, user.totp_pending, now)
    if step is None:
        raise SignInRefused("the code is wrong: look whether the telephone's clock is right")
    user.totp_secret, user.totp_pending, user.totp_step = user.totp_pending, None, step
    return new_codes(session, user)


def new_codes(session: Session, user: User) -> list[str]:
    """Recovery codes in place of those there were, to be shown once."""
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user.id))
    codes = ["-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4)) for _ in range(CODES)]
    session.add_all(RecoveryCode(user_id=user.id, digest=digest(_plain(code))) for code in codes)
    return codes


def codes_left(session: Session, user: User) -> int:
    """How many recovery codes were not used."""
    query = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.user_id == user.id)
    return session.exec(query).one()


def drop(session: Session, user: User) -> None:
    """As when the telephone was lost."""
    user.totp_secret = user.totp_pending = None
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user.id))
