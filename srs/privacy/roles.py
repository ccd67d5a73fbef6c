"""Which rights there are, which roles, and which rights a role may have."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from srs.privacy.errors import Misuse


class Right(StrEnum):
    """The first eight are on recordings, the others of the house as a whole."""

    LIST = "list"
    PLAY = "play"
    LISTEN = "listen"
    """To a call that is going on."""
    CONTROL = "control"
    """Pause, resume and stop what is recorded of a call that is going on, and say what it is kept for."""
    DOWNLOAD = "download"
    MAIL = "mail"
    DELETE = "delete"
    HOLD = "hold"
    USERS = "users"
    SETTINGS = "settings"
    WATCH = "watch"
    """How the recorder is doing: alarms, tasks, load."""
    AUDIT = "audit"
    REPORT = "report"
    GRANT = "grant"
    """Decide what others ask for."""
    REQUESTS = "requests"
    """Of those who were recorded."""
    CASES = "cases"
    """Open and follow them."""
    APPROVE = "approve"
    """Cases that others opened."""


class Scope(StrEnum):
    OWN = "own"
    GROUP = "group"
    ALL = "all"


ON_RECORDINGS: Final = frozenset(
    {Right.LIST, Right.PLAY, Right.LISTEN, Right.CONTROL, Right.DOWNLOAD, Right.MAIL, Right.DELETE, Right.HOLD}
)
Needed: TypeAlias = Right | tuple[Right, ...]
"""A right, or one of several."""
CASE_RIGHTS: Final = (Right.CASES, Right.APPROVE)
"""Who has one of them may know that there are cases."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a role allows. That somebody hears anything is always said apart."""

    house: frozenset[Right]
    """Of the house."""
    usual: frozenset[Right]
    """On recordings, when nothing else is said."""
    possible: frozenset[Right]
    """On recordings, the most that can be said."""
    scopes: frozenset[Scope]
    """Where it can hold."""


_HEAR: Final = {Right.LIST, Right.PLAY, Right.DOWNLOAD}

ROLES: Final = MappingProxyType(
    {
        "administrator": Role(
            frozenset({Right.USERS, Right.SETTINGS, Right.WATCH}),
            frozenset(),
            frozenset({Right.LIST}),
            frozenset({Scope.ALL}),
        ),
        "supervisor": Role(
            frozenset(), frozenset({Right.LIST}), ON_RECORDINGS - {Right.DELETE}, frozenset({Scope.GROUP, Scope.ALL})
        ),
        "employee": Role(
            frozenset(), frozenset({Right.LIST}), frozenset(_HEAR | {Right.CONTROL}), frozenset({Scope.OWN})
        ),
        "investigator": Role(frozenset({Right.CASES}), frozenset(), frozenset(), frozenset({Scope.ALL})),
        "privacy officer": Role(
            frozenset({Right.AUDIT, Right.REPORT, Right.GRANT, Right.REQUESTS, Right.APPROVE}),
            frozenset({Right.LIST, Right.HOLD}),
            ON_RECORDINGS - {Right.LISTEN},
            frozenset({Scope.ALL}),
        ),
        "auditor": Role(
            frozenset({Right.AUDIT, Right.REPORT}), frozenset(), frozenset({Right.LIST}), frozenset({Scope.ALL})
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role that somebody has."""

    role: str
    scope: Scope
    groups: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    """Patterns of persons whose calls it does not reach."""
    rights: frozenset[Right] = frozenset()
    """On recordings."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user, or a program that acts for one, as decisions see it."""

    id: str
    name: str
    extensions: tuple[str, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    limit: frozenset[Right] | None = None
    """The most that a token allows; None: no token is in between."""
    token: str | None = None
    """Name of the token."""

    @property
    def label(self) -> str:
        """As the audit names it."""
        return f"user:{self.name}" if self.token is None else f"token:{self.name}/{self.token}"


def assignment(
    role: str,
    scope: Scope | None = None,
    groups: Iterable[str] = (),
    excluded: Iterable[str] = (),
    rights: Iterable[Right] | None = None,
) -> Assignment:
    """A role as it may be given: what is not said is as usual for it.

    Raises:
        Misuse: there is no such role, or it cannot be so.
    """
    if (definition := ROLES.get(role)) is None:
        raise Misuse(f"there is no role {role!r}: there are {', '.join(ROLES)}")
    groups, wanted = tuple(groups), definition.usual if rights is None else frozenset(rights)
    if scope is None:
        scope = Scope.GROUP if groups else next(iter(sorted(definition.scopes, reverse=True)))
    if scope not in definition.scopes:
        raise Misuse(f"{role} cannot be for {scope}: only for {' or '.join(sorted(definition.scopes))}")
    if (scope == Scope.GROUP) != bool(groups):
        raise Misuse(f"{role} for a group needs the group's name, and only then: --group NAME")
    if beyond := wanted - definition.possible:
        raise Misuse(f"{role} cannot have the right to {', '.join(sorted(beyond))}")
    return Assignment(role, scope, groups, tuple(excluded), wanted)
