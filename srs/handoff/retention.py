"""How long a recording is kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from srs.archive.subject import Subject, matches, subject
from srs.archive.tables import Recording
from srs.config import Settings
from srs.config.privacy import purposes

FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class Period:
    """How long, and what says so."""

    days: float | None
    """From the end of the call; None: until somebody deletes it."""
    source: str
    """Such as `rule complaints`."""


def candidates(seen: Subject, settings: Settings) -> Iterator[Period]:
    """All periods that are set for a recording, by rules and by its purpose."""
    for rule in settings.retention.rule:
        if matches(rule.match, seen):
            yield Period(rule.keep_days, f"rule {rule.name}")
    purpose = purposes(settings.purpose).get(seen.purpose or "")
    if purpose is not None and purpose.keep_days is not None:
        yield Period(purpose.keep_days, f"purpose {purpose.name}")


def retention_period(seen: Subject, settings: Settings) -> Period:
    """The one that holds: the longest or the shortest, as `wins` says; without any the default.

    That is `keep_days`; of a recording without purpose, where that says nothing, `unassigned_days` of `[privacy]`.
    """
    found = list(candidates(seen, settings))
    if not found and seen.purpose is None and settings.retention.keep_days is None:
        return Period(settings.privacy.unassigned_days, "unassigned")
    if not found:
        return Period(settings.retention.keep_days, "default")
    choose = max if settings.retention.wins == "longest" else min
    return choose(found, key=lambda period: FOREVER if period.days is None else period.days)


def expiry(row: Recording, settings: Settings) -> tuple[datetime | None, str]:
    """When a recording is to be deleted, and what says so."""
    period = retention_period(subject(row, settings.numbers, settings.group), settings)
    return None if period.days is None else row.ended_at + timedelta(days=period.days), period.source


def may_be_pruned(row: Recording, settings: Settings) -> bool:
    """Whether a full disk may cost it before its time: no rule that is for it says no."""
    seen = subject(row, settings.numbers, settings.group)
    return all(rule.prune for rule in settings.retention.rule if matches(rule.match, seen))
