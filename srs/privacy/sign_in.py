"""Signing in: password, second factor, lock-out. Each attempt is in the audit."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session, select

from srs.archive.database import writing
from srs.privacy import audit, passwords
from srs.privacy.audit import Act
from srs.privacy.errors import Misuse, SecondFactor, SignInRefused
from srs.privacy.tables import User

FREE_ATTEMPTS: Final = 5
FIRST_LOCK: Final = timedelta(minutes=1)
LONGEST_LOCK: Final = timedelta(hours=1)


def sign_in(engine: Engine, name: str, password: str, code: str | None, origin: str, now: datetime) -> User:
    """Let a user in by name and password, and by a code if there is a second factor.

    Each attempt is counted before it is looked at, so that many at once gain nothing.

    Raises:
        SecondFactor: the password is right, a code is needed.
        SignInRefused: something is wrong, or too much was lately; who tries is not told which.
    """
    user = _counted(engine, name, now)
    right = passwords.is_right(password, None if user is None else user.password)
    if user is None or user.disabled or not right:
        raise _refused(engine, name, "wrong name or password, disabled or locked", origin, now)
    if user.totp_secret is not None and code is None:
        with writing(engine) as session:
            _uncount(session, user.id)
        raise SecondFactor("a code is needed too")
    with writing(engine) as session:
        fresh = _locked(session, user.id)
        if _second_factor(fresh, code, now):
            fresh.failures, fresh.locked_until = 0, None
            audit.append(session, Act(f"user:{name}", "sign in", f"user:{name}", origin), now)
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


def _second_factor(user: User, code: str | None, now: datetime) -> bool:
    """Whether the code is right, if there must be one; it is good once."""
    if user.totp_secret is None:
        return True
    step = passwords.step_of(code or "", user.totp_secret, now)
    if step is None or step <= user.totp_step:
        return False
    user.totp_step = step
    return True


def _refused(engine: Engine, name: str, why: str, origin: str, now: datetime) -> SignInRefused:
    act = Act(f"user:{name}", "sign in", f"user:{name}", origin, allowed=False, details={"why": why})
    audit.record(engine, act, now)
    return SignInRefused("that is not right, or there were too many attempts lately: wait a minute and try again")


# The second factor


def begin_enrolment(user: User) -> str:
    """A secret, to be shown as QR code (`passwords.enrolment_uri`); it holds when a code of it was given."""
    user.totp_pending = passwords.new_secret()
    return user.totp_pending


def finish_enrolment(user: User, code: str, now: datetime) -> None:
    """
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


def drop_second_factor(user: User) -> None:
    """As when the telephone was lost."""
    user.totp_secret = user.totp_pending = None
