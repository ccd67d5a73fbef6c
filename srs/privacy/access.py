"""Who may do what: one decision, and the same decision as a condition on rows, so that no page or count says more."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, not_, or_, true
from sqlmodel import col, select

from srs.archive.subject import Subject, fits, fits_row
from srs.archive.tables import Recording
from srs.config.rules import GroupSettings
from srs.privacy.roles import ON_RECORDINGS, ROLES, Assignment, Person, Right, Scope
from srs.privacy.tables import Grant

HEARING = frozenset({Right.PLAY, Right.LISTEN, Right.DOWNLOAD, Right.MAIL})


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether something is allowed, and why or why not."""

    allowed: bool
    why: str


@dataclass(frozen=True, slots=True)
class House:
    """What decisions need to know of the settings."""

    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Patterns of the extensions of each group."""
    listeners: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For purposes that not everybody may hear: the roles that may."""


def house(groups: Iterable[GroupSettings], listeners: Mapping[str, Iterable[str]]) -> House:
    """Of the settings; purposes without listeners may be heard by any role that hears anything."""
    return House(
        {group.name: tuple(group.extensions) for group in groups},
        {purpose: frozenset(roles) for purpose, roles in listeners.items() if roles},
    )


@dataclass(frozen=True, slots=True)
class Reach:
    """Some recordings that somebody may do something with."""

    role: str
    included: tuple[str, ...] | None
    """Patterns, one of which fits a party; None: all recordings."""
    excluded: tuple[str, ...]
    """Patterns, none of which fits a party."""
    unheard: frozenset[str]
    """Purposes that it does not reach."""

    def reaches(self, seen: Subject) -> bool:
        """Whether a recording is one of them."""
        return (
            (self.included is None or fits(self.included, seen.parties))
            and not fits(self.excluded, seen.parties)
            and seen.purpose not in self.unheard
        )

    def condition(self) -> ColumnElement[bool]:
        """The same for rows."""
        among = true() if self.included is None else or_(false(), *map(fits_row, self.included))
        outside = [not_(fits_row(pattern)) for pattern in self.excluded]
        purpose = col(Recording.purpose)
        unheard = [or_(purpose.is_(None), purpose.not_in(self.unheard))] if self.unheard else []
        return and_(among, *outside, *unheard)


def may(
    person: Person, right: Right, seen: Subject | None, grants: Iterable[Grant], now: datetime, known: House
) -> Decision:
    """Whether somebody may do something, with a recording where the right is one on recordings.

    Args:
        grants: the person's for this recording.
    """
    if right not in ON_RECORDINGS:
        return may_in_house(person, right)
    if _is_beyond(person, right):
        return Decision(False, f"the token is not for {right}")
    assert seen is not None, f"{right} is a right on a recording"
    for reach in _reaches(person, right, known):
        if reach.reaches(seen):
            return Decision(True, reach.role)
    if granted := next((grant for grant in grants if holds(grant, right, now)), None):
        return Decision(True, f"granted by {granted.decided_by} until {granted.until}: {granted.reason}")
    return Decision(False, f"no role of {person.name} allows to {right} this recording")


def visible(person: Person, right: Right, now: datetime, known: House) -> ColumnElement[bool]:
    """The condition on rows of `recording` that holds where `may` allows."""
    if _is_beyond(person, right):
        return false()
    reached = [reach.condition() for reach in _reaches(person, right, known)]
    wanted = [each.value for each in Right if right in implied(each)]
    granted = select(Grant.recording_id).where(
        Grant.user_id == person.id, col(Grant.right).in_(wanted), col(Grant.until) > now
    )
    return or_(false(), *reached, col(Recording.id).in_(granted))


def holds(grant: Grant, right: Right, now: datetime) -> bool:
    """Whether a grant is for a right now."""
    return grant.until is not None and now < grant.until and right in implied(Right(grant.right))


def implied(granted: Right) -> frozenset[Right]:
    """What a grant allows: also to find the recording, and to play what may be downloaded."""
    return frozenset({granted, Right.LIST} | ({Right.PLAY} if granted == Right.DOWNLOAD else set()))


def may_in_house(person: Person, right: Right) -> Decision:
    """Whether somebody may do something that is not done with a recording."""
    if _is_beyond(person, right):
        return Decision(False, f"the token is not for {right}")
    for each in person.assignments:
        if right in ROLES[each.role].house:
            return Decision(True, each.role)
    return Decision(False, f"no role of {person.name} has the right {right}")


def _is_beyond(person: Person, right: Right) -> bool:
    return person.limit is not None and right not in person.limit


def _reaches(person: Person, right: Right, known: House) -> Iterator[Reach]:
    for each in person.assignments:
        if right in each.rights:
            closed = {purpose for purpose, roles in known.listeners.items() if each.role not in roles}
            unheard = frozenset(closed if right in HEARING else ())
            yield Reach(each.role, _included(each, person, known), each.excluded, unheard)


def _included(each: Assignment, person: Person, known: House) -> tuple[str, ...] | None:
    match each.scope:
        case Scope.ALL:
            return None
        case Scope.OWN:
            return person.extensions
        case Scope.GROUP:
            return tuple(pattern for name in each.groups for pattern in known.groups.get(name, ()))
