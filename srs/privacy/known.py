"""Who somebody is here that an OpenID provider knows, and which roles its groups give."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, select

from srs.archive.database import writing
from srs.config.access import OidcRole, OidcSettings
from srs.privacy import audit, users
from srs.privacy.audit import Act
from srs.privacy.errors import Misuse, NoSuchUser, Refused, SignInRefused
from srs.privacy.oidc import Attempt, Provider
from srs.privacy.roles import ROLES, Assignment, Right, assignment
from srs.privacy.tables import User


def sign_in(
    engine: Engine, provider: Provider, attempt: Attempt, back: str, answer: str, origin: str, now: datetime
) -> User:
    """Let in who came back from the provider; roles follow the provider's groups. Each try is in the audit.

    Args:
        back: the address that the provider was told to send the browser to.
        answer: the one that it came to.

    Raises:
        ProviderAway, NotBelieved: nobody knows who it is.
        NoSuchUser: there is no such user here.
        SignInRefused: the user is disabled, or signs in otherwise.
        Misuse: the claims or the roles of the settings cannot be used.
    """
    who = "nobody"
    try:
        claims = provider.claims(attempt, back, answer, now)
        name = _name(claims, provider.settings)
        who = f"user:{name}"
        return _enter(engine, provider.settings, claims, name, origin, now)
    except (Refused, NoSuchUser, Misuse) as error:
        act = Act(who, "sign in", who, origin, allowed=False, details={"why": str(error), "by": "OpenID provider"})
        audit.record(engine, act, now)
        raise


def _name(claims: Mapping[str, Any], settings: OidcSettings) -> str:
    name = claims.get(settings.name_claim)
    if not isinstance(name, str) or not name:
        raise Misuse(f"the provider gives no claim {settings.name_claim}: choose another one, [oidc] name_claim")
    return name


def _enter(
    engine: Engine, settings: OidcSettings, claims: Mapping[str, Any], name: str, origin: str, now: datetime
) -> User:
    subject = f"{claims['iss']} {claims['sub']}"
    with writing(engine) as session:
        user = _user(session, settings, subject, name, now)
        _follow(session, settings, user, _texts(claims.get(settings.group_claim)), origin, now)
        act = Act(f"user:{user.name}", "sign in", f"user:{user.name}", origin, details={"by": subject})
        audit.append(session, act, now)
        return user


def _user(session: Session, settings: OidcSettings, subject: str, name: str, now: datetime) -> User:
    """The user of a subject; at the first sign-in the one of that name without a password, else a new one.

    A name alone never opens what a password guards, unless an administrator said so for a while: providers often let
    people choose their names.
    """
    user = session.exec(select(User).where(User.oidc_subject == subject).with_for_update()).first()
    if user is None:
        user = session.exec(select(User).where(User.name == name).with_for_update()).first()
        if user is None and settings.create:
            user = users.add_without_password(session, name, now)
        if user is None:
            raise NoSuchUser(f"there is no user {name} here: an administrator must make one")
        users.link(session, user, subject, now)
    if user.disabled:
        raise SignInRefused(f"the user {user.name} is disabled: ask an administrator")
    return user


def _follow(
    session: Session, settings: OidcSettings, user: User, told: frozenset[str], origin: str, now: datetime
) -> None:
    """Give and take the roles that the settings name, as the groups say; others stay as they are."""
    had = {each.role: each for each in users.roles_of(session, user.id)}
    for role in dict.fromkeys(each.role for each in settings.role):
        wanted = _joined([each for each in settings.role if each.role == role and each.group in told])
        if wanted == had.get(role):
            continue
        if wanted is None:
            users.take(session, user, role)
        else:
            users.give(session, user, wanted)
        action, details = "take role" if wanted is None else "give role", {"role": role, "groups": sorted(told)}
        audit.append(session, Act("recorder", action, f"user:{user.name}", origin, details=details), now)


def _joined(found: list[OidcRole]) -> Assignment | None:
    """One role of all entries that give it: wherever and whatever one of them allows."""
    if not found:
        return None
    everywhere = any(not each.groups for each in found)
    groups = [] if everywhere else sorted({group for each in found for group in each.groups})
    excluded = set.intersection(*(set(each.excluded) for each in found))
    usual = ROLES[found[0].role].usual
    rights = {right for each in found for right in (usual if each.rights is None else map(Right, each.rights))}
    return assignment(found[0].role, None, groups, sorted(excluded), rights)


def _texts(value: object) -> frozenset[str]:
    """A claim that is a text or several."""
    return frozenset(_each(value))


def _each(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Iterable):
        yield from (each for each in value if isinstance(each, str))
