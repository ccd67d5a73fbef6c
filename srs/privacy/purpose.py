"""Why a recording is kept: which purpose it gets, whether it may be kept at all, and for what it may be used."""

from typing import Final

from srs.archive.errors import ArchiveError
from srs.archive.subject import matches, subject
from srs.archive.tables import Recording
from srs.config import Settings
from srs.config.privacy import PurposeSettings, purposes
from srs.config.rules import Match
from srs.siprec import operator

NEVER: Final = "not kept: a party is on the do-not-record list ([privacy] do_not_record)"


class KeyInUse(ArchiveError):
    """A key that the settings name is not destroyed."""


class WrongPurpose(ArchiveError):
    """A recording is not kept for what it is asked for."""


def purpose_of(row: Recording, settings: Settings) -> str | None:
    """The purpose given by hand, else by the first rule that fits, else what its `[[peer]]` says; None: there is none.

    By hand while its call went on: one recording session may hold several calls.
    """
    if by_hand := operator.purpose(each for each in row.facts.get("events", ()) if 0 <= each[0] <= row.duration_s):
        return by_hand
    seen = subject(row, settings.numbers, settings.group)
    return next((rule.purpose for rule in settings.purpose_rule if matches(rule.match, seen)), row.purpose)


def unwanted(row: Recording, settings: Settings) -> str | None:
    """Why the sound of a recording, which has its purpose already, may not be kept; None: it may."""
    if is_never_recorded(row, settings):
        return NEVER
    if row.purpose is None and settings.privacy.unassigned == "drop":
        return 'not kept: no purpose fits it ([privacy] unassigned = "drop")'
    return None


def is_never_recorded(row: Recording, settings: Settings) -> bool:
    """Whether a party is on the do-not-record list."""
    listed = settings.privacy.do_not_record
    return bool(listed) and matches(Match(number=listed), subject(row, settings.numbers, settings.group))


def definition(name: str, settings: Settings) -> PurposeSettings:
    """What is said of a purpose; of one that only a `[[peer]]` speaks of, nothing."""
    return purposes(settings.purpose).get(name) or PurposeSettings(name=name)


def key_of(row: Recording, settings: Settings) -> str | None:
    """Name of the key that the sound of a recording is to be sealed for."""
    own = definition(row.purpose, settings).key if row.purpose else None
    return own or settings.privacy.key


def check_not_in_use(name: str, settings: Settings) -> None:
    """Whether a key may be destroyed: what calls to come are to be sealed for, may not.

    Raises:
        KeyInUse: the settings name it.
    """
    named = {each.key: f'[[purpose]] "{each.name}"' for each in settings.purpose if each.key} | {
        settings.privacy.key: "[privacy] key"
    }
    if name in named:
        raise KeyInUse(
            f"key {name} is what {named[name]} seals for: without it no such call could be kept. "
            "Make another (srs keys new), name that in the settings, and restart"
        )


def uses(row: Recording, settings: Settings) -> tuple[str, ...]:
    """The purposes that a recording may be used for; none: it has no purpose, and may be for any."""
    return () if row.purpose is None else (row.purpose, *definition(row.purpose, settings).fits)


def check_use(row: Recording, asked: str | None, settings: Settings) -> None:
    """Whether a recording may be played or exported for a purpose. One without purpose may be for any.

    Raises:
        WrongPurpose: it is kept for another, or none was named.
    """
    allowed = uses(row, settings)
    if not allowed or asked in allowed:
        return
    told = " or ".join(allowed)
    if not asked:
        raise WrongPurpose(f"recording {row.id} is kept for {told}: say what it is wanted for (--purpose)")
    raise WrongPurpose(f"recording {row.id} is kept for {told}, not for {asked}: it may not be used for that")
