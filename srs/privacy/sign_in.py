"""Signing in with a password: one-time passwords, second factor, lock-out. Each attempt is in the audit."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session, select

from srs.archive.database import writing
from srs.privacy import audit, passwords, second_factor
from srs.privacy.audit import Act
from srs.privacy.errors import PasswordOver, SecondFactor, SignInRefused
from srs.privacy.tables import User

FREE_ATTEMPTS: Final = 5
FIRST_LOCK: Final = timedelta(minutes=1)
LONGEST_LOCK: Final = timedelta(hours=1)


def sign_in(engine: Engine, name: str, password: str, code: str | None, origin: str, now: datetime) -> User:
    """Let a user in by name and password, and by a code if there is a second factor.

    Each attempt is counted before it is looked at, so that many at once gain nothing.

    Raises:
        SecondFactor: the password is right, a code is needed.
        PasswordOver: the password is right, and was good for a time that is over.
        SignInRefused: something is wrong, or too much was lately; who tries is not told which.
    """
    user = _counted(engine, name, now)
    right = passwords.is_right(password, None if user is None else user.password)
    if user is None or user.disabled or not right:
        raise _refused(engine, name, "wrong name or password, disabled or locked", origin, now)
    if user.must_change and user.password_until is not None and now >= user.password_until:
        _note_refusal(engine, name, f"one-time password over since {user.password_until}", origin, now)
        raise PasswordOver("this password was good for a first sign-in that came too late: ask for a new one")
    if user.totp_secret is not None and code is None:
        with writing(engine) as session:
            _uncount(session, user.id)
        raise SecondFactor("a code is needed too")
    with writing(engine) as session:
        fresh = _locked(session, user.id)
        if by := second_factor.proof(session, fresh, code, now):
            fresh.failures, fresh.locked_until = 0, None
            audit.append(session, Act(f"user:{name}", "sign in", f"user:{name}", origin, details={"by": by}), now)
            return fresh
    raise _refused(engine, name, "wrong code", origin, now)


def _counted(engine: Engine, name: str, now: datetime) -> User | None:
    """The user of an attempt, which is counted; None: there is none, or none may try now."""
    with writing(engine) as session:
        user = session.exec(select(User).where(User.name == name).with_for_update()).first()
        if user is None or is_locked(user, now):
            return None
        user.failures += 1
        if user.failures >= FREE_ATTEMPTS:
            user.locked_until = now + min(FIRST_LOCK * 2 ** min(user.failures - FREE_ATTEMPTS, 10), LONGEST_LOCK)
        return user


def is_locked(user: User, now: datetime) -> bool:
    """Whether attempts are refused. A lock that ends too far off is of a clock that jumped."""
    return user.locked_until is not None and now < user.locked_until <= now + LONGEST_LOCK


def _uncount(session: Session, user_id: str) -> None:
    user = _locked(session, user_id)
    user.failures, user.locked_until = max(user.failures - 1, 0), None


def _locked(session: Session, user_id: str) -> User:
    return session.exec(select(User).where(User.id == user_id).with_for_update()).one()


def _refused(engine: Engine, name: str, why: str, origin: str, now: datetime) -> SignInRefused:
    _note_refusal(engine, name, why, origin, now)
    return SignInRefused("that is not right, or there were too many attempts lately: wait a minute and try again")


def _note_refusal(engine: Engine, name: str, why: str, origin: str, now: datetime) -> None:
    act = Act(f"user:{name}", "sign in", f"user:{name}", origin, allowed=False, details={"why": why})
    audit.record(engine, act, now)
