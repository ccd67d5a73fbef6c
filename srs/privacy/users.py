"""Users: made, changed, found; which roles they have."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from srs.archive.database import reading, writing
from srs.privacy import passwords
from srs.privacy.errors import Misuse, NoSuchUser, SignInRefused
from srs.privacy.roles import Assignment, Person, Right, Scope
from srs.privacy.tables import RoleOf, Token, User, WebSession

FIRST: Final = "admin"
"""Name of the first administrator, when none is said."""
ONE_TIME: Final = timedelta(days=3)
"""That a password made by somebody else is good for, when nothing is said."""


def new_id() -> str:
    """Not to be guessed."""
    return secrets.token_hex(16)


def add(
    session: Session,
    name: str,
    now: datetime,
    *,
    mail: str | None = None,
    language: str = "en",
    lifetime: timedelta = ONE_TIME,
) -> tuple[User, str]:
    """Make a user without any role.

    Returns:
        The user, and a password that is shown once and must be changed within a time.

    Raises:
        Misuse: there is one of that name, or the name is none.
    """
    user = add_without_password(session, name, now, mail=mail, language=language)
    return user, set_one_time_password(session, user, now, lifetime)


def add_without_password(
    session: Session, name: str, now: datetime, *, mail: str | None = None, language: str = "en"
) -> User:
    """Make a user without any role who signs in by an OpenID provider only.

    Raises:
        Misuse: there is one of that name, or the name is none.
    """
    if not name.strip() or name != name.strip() or ":" in name or "/" in name:
        raise Misuse(f"{name!r} is no name for a user: no colon, no slash, no spaces around it")
    if session.exec(select(User).where(User.name == name)).first():
        raise Misuse(f"there is a user {name} already")
    user = User(id=new_id(), name=name, mail=mail, language=language, created_at=now)
    session.add(user)
    session.flush()
    return user


def first_administrator(engine: Engine, now: datetime, name: str = FIRST, lifetime: timedelta = ONE_TIME) -> str | None:
    """Make the first user, an administrator.

    Returns:
        The password, to be shown once; None: there are users already.
    """
    from srs.privacy.roles import assignment

    with writing(engine) as session:
        if session.exec(select(User).limit(1)).first():
            return None
        user, password = add(session, name, now, lifetime=lifetime)
        give(session, user, assignment("administrator"))
    return password


def get(session: Session, name: str) -> User:
    """The user of that name, locked against other writers where the session writes.

    Raises:
        NoSuchUser: there is none.
    """
    user = session.exec(select(User).where(User.name == name).with_for_update()).first()
    if user is None:
        raise NoSuchUser(f"there is no user {name}")
    return user


def everybody(engine: Engine) -> list[tuple[User, tuple[Assignment, ...]]]:
    """All users with their roles, by name."""
    with reading(engine) as session:
        users = session.exec(select(User).order_by(col(User.name))).all()
        return [(user, roles_of(session, user.id)) for user in users]


def with_right_of(engine: Engine, role: str) -> list[User]:
    """Those who have a role and are not disabled."""
    query = select(User).join(RoleOf).where(RoleOf.role == role, col(User.disabled).is_(False))
    with reading(engine) as session:
        return list(session.exec(query.order_by(col(User.name))))


def give(session: Session, user: User, role: Assignment) -> None:
    """Give a role, in place of the same role as it was."""
    session.merge(
        RoleOf(
            user_id=user.id,
            role=role.role,
            scope=role.scope,
            groups=list(role.groups),
            excluded=list(role.excluded),
            rights=sorted(role.rights),
        )
    )


def take(session: Session, user: User, role: str) -> None:
    """Take a role away.

    Raises:
        Misuse: the user does not have it.
    """
    if (row := session.get(RoleOf, (user.id, role))) is None:
        raise Misuse(f"{user.name} is no {role}")
    session.delete(row)


def roles_of(session: Session, user_id: str) -> tuple[Assignment, ...]:
    """The roles of a user, by name."""
    rows = session.exec(select(RoleOf).where(RoleOf.user_id == user_id).order_by(col(RoleOf.role)))
    return tuple(
        Assignment(
            row.role, Scope(row.scope), tuple(row.groups), tuple(row.excluded), frozenset(map(Right, row.rights))
        )
        for row in rows
    )


def person(session: Session, user: User, token: Token | None = None) -> Person:
    """A user as decisions see it, perhaps through a token."""
    limit = None if token is None else frozenset(map(Right, token.rights))
    name = None if token is None else token.name
    return Person(user.id, user.name, tuple(user.extensions), roles_of(session, user.id), limit, name)


def set_password(session: Session, user: User, password: str) -> None:
    """Set a password; whoever was signed in as that user is no more.

    Raises:
        Misuse: it is too short.
    """
    user.password, user.must_change, user.password_until = passwords.hashed(password), False, None
    user.failures, user.locked_until = 0, None
    end_sessions(session, user)


def set_one_time_password(session: Session, user: User, now: datetime, lifetime: timedelta = ONE_TIME) -> str:
    """Set a password that is good for a sign-in within a time and then for nothing but a new one; it is returned."""
    password = passwords.one_time()
    set_password(session, user, password)
    user.must_change, user.password_until = True, now + lifetime
    return password


def link(session: Session, user: User, subject: str, now: datetime) -> None:
    """Have a user signed in by the OpenID provider from now on, and by no password.

    Raises:
        SignInRefused: they have a password, or another subject, and no administrator said that this is to change.
    """
    is_awaited = user.oidc_until is not None and now < user.oidc_until
    if not is_awaited and (user.password is not None or user.oidc_subject is not None):
        raise SignInRefused(f"the user {user.name} here signs in otherwise: an administrator must change that")
    user.oidc_subject, user.oidc_until = subject, None
    user.password, user.must_change, user.password_until = None, False, None
    end_sessions(session, user)


def disable(session: Session, user: User, *, disabled: bool = True) -> None:
    """Let somebody in no more, or again."""
    user.disabled = disabled
    user.failures, user.locked_until = 0, None
    if disabled:
        end_sessions(session, user)


def end_sessions(session: Session, user: User) -> None:
    """Sign a user out everywhere."""
    for row in session.exec(select(WebSession).where(WebSession.user_id == user.id)):
        session.delete(row)
