"""What stands for a user without a password: sessions of browsers, tokens of programs. Only digests are kept."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session, col, delete, select, update

from srs.archive.database import reading, writing
from srs.privacy.errors import Misuse
from srs.privacy.roles import Person, Right
from srs.privacy.tables import Token, User, WebSession
from srs.privacy.users import new_id, person

PREFIX: Final = "srs_"
"""Of a token, so that one that is found somewhere is known for what it is."""
LONGEST: Final = timedelta(days=366)
SESSION_IDLE: Final = timedelta(minutes=30)
SESSION_LONGEST: Final = timedelta(hours=12)
_CLOCK: Final = timedelta(minutes=1)
"""That a clock may be set back before sessions end."""


def digest(secret: str) -> str:
    """What is kept of a token or a cookie: they are random, so that a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


# Browsers


def begin_session(session: Session, user: User, origin: str, now: datetime) -> str:
    """What the cookie is to say."""
    secret = secrets.token_urlsafe(32)
    session.execute(delete(WebSession).where(col(WebSession.created_at) < now - SESSION_LONGEST))
    session.add(WebSession(digest=digest(secret), user_id=user.id, origin=origin, created_at=now, seen_at=now))
    return secret


def of_session(engine: Engine, secret: str, now: datetime) -> tuple[User, Person, str | None] | None:
    """Whose cookie it is, and what recordings are wanted for in that browser; None: nobody's, any more."""
    with writing(engine) as session:
        row = session.get(WebSession, digest(secret))
        if row is None or not _is_current(row, now):
            return None
        user = session.get(User, row.user_id)
        if user is None or user.disabled:
            return None
        row.seen_at = now
        return user, person(session, user), row.purpose


def set_purpose(session: Session, secret: str, purpose: str | None) -> None:
    """Remember what recordings are wanted for in a browser."""
    session.execute(update(WebSession).where(col(WebSession.digest) == digest(secret)).values(purpose=purpose))


def _is_current(row: WebSession, now: datetime) -> bool:
    return -_CLOCK <= now - row.seen_at < SESSION_IDLE and -_CLOCK <= now - row.created_at < SESSION_LONGEST


def end_session(session: Session, secret: str) -> None:
    """Sign out."""
    session.execute(delete(WebSession).where(col(WebSession.digest) == digest(secret)))


# Programs


def issue(
    session: Session, user: User, name: str, rights: Iterable[Right], now: datetime, lifetime: timedelta
) -> tuple[Token, str]:
    """Make a token.

    Returns:
        It, and what the program must say, which is shown once.

    Raises:
        Misuse: it is for nothing, for too long, or has no name.
    """
    allowed = sorted(set(rights))
    if not allowed or not name.strip() or "/" in name:
        raise Misuse("a token needs a name without slash and at least one right")
    if not timedelta(0) < lifetime <= LONGEST:
        raise Misuse(f"a token holds at most {LONGEST.days} days")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token(
        id=new_id(),
        user_id=user.id,
        name=name,
        digest=digest(secret),
        rights=list(allowed),
        created_at=now,
        expires_at=now + lifetime,
    )
    session.add(token)
    return token, secret


def of_token(engine: Engine, secret: str, now: datetime) -> Person | None:
    """Whom a token acts for; None: it is none, or no more."""
    with writing(engine) as session:
        token = session.exec(select(Token).where(Token.digest == digest(secret))).first()
        if token is None or not token.created_at - _CLOCK <= now < token.expires_at:
            return None
        user = session.get(User, token.user_id)
        if user is None or user.disabled or user.must_change:
            return None
        token.used_at = now
        return person(session, user, token)


def issued(engine: Engine) -> list[tuple[Token, User]]:
    """All tokens, by user and name."""
    query = select(Token, User).join(User).order_by(col(User.name), col(Token.name))
    with reading(engine) as session:
        return [(token, user) for token, user in session.exec(query)]


def revoke(session: Session, token_id: str) -> Token:
    """Make a token worthless; its first characters are enough.

    Raises:
        Misuse: there is none, or there are several.
    """
    found = session.exec(select(Token).where(col(Token.id).startswith(token_id, autoescape=True)).limit(2)).all()
    if len(found) != 1 or len(token_id) < 4:
        raise Misuse(f"there is no token {token_id!r}, or more than one")
    session.delete(found[0])
    return found[0]
