"""The next steps of a case, and which of them are overdue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from srs.config import Settings
from srs.privacy.cases.tables import Case, CaseLetter, Outcome
from srs.privacy.purpose import definition
from srs.privacy.report_words import Language

PURPOSE: Final = "investigation"
"""Its `keep_days` is how long a case with an offence is kept after it was closed."""
ANNOUNCED: Final = timedelta(days=7)
"""So long before it is destroyed for its age this is said: a clock alone destroys nothing."""

WORDS: Final[dict[str, dict[Language, str]]] = {
    "approve": {
        "nl": "wacht sinds {since} op goedkeuring door een tweede persoon; tot die tijd neemt zij niets op",
        "en": "waits for a second person's approval since {since}; until then it records nothing",
    },
    "close": {
        "nl": "is sinds {since} ten einde en nog niet afgesloten",
        "en": "ended on {since} and is not closed yet",
    },
    "letter": {
        "nl": "{count} brief of brieven aan medewerkers moeten uiterlijk op {until} verstuurd of overhandigd zijn",
        "en": "letters to {count} employees must be sent or handed over by {until}",
    },
    "letter overdue": {
        "nl": "{count} brief of brieven aan medewerkers hadden op {until} verstuurd of overhandigd moeten zijn",
        "en": "letters to {count} employees should have been sent or handed over by {until}",
    },
    "destroy": {
        "nl": "wordt niet eerder dan op {until} vernietigd, want dan eindigt de bewaartermijn",
        "en": "will be destroyed, not before {until}, because the time that it may be kept ends",
    },
}


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is to be done."""

    name: str
    overdue: bool
    since: datetime | None = None
    until: datetime | None = None
    count: int = 0

    def words(self, language: Language) -> str:
        dates = {"since": self.since and self.since.date(), "until": self.until and self.until.date()}
        return WORDS[self.name][language].format(**dates, count=self.count)


def steps(case: Case, waiting: Sequence[CaseLetter], settings: Settings, now: datetime) -> list[Step]:
    """What is to be done about a case that somebody should be told.

    Args:
        waiting: its letters that are not with the employee yet.
    """
    cases = settings.cases
    found = []
    if case.closed_at is None and case.approved_at is None and now >= case.opened_at + timedelta(cases.approve_days):
        found.append(Step("approve", True, since=case.opened_at))
    if case.closed_at is None and case.approved_at and now >= case.until + timedelta(cases.close_days):
        found.append(Step("close", True, since=case.until))
    if waiting:
        due_at = min(letter.due_at for letter in waiting)
        late = now >= due_at
        found.append(Step("letter overdue" if late else "letter", late, until=due_at, count=len(waiting)))
    end = kept_until(case, settings)
    if end is not None and not case.held and now >= end - ANNOUNCED:
        found.append(Step("destroy", False, until=max(end, now + ANNOUNCED)))
    return found


def kept_until(case: Case, settings: Settings) -> datetime | None:
    """When the time that a case with an offence may be kept ends; None: it has none, or is destroyed."""
    days = definition(PURPOSE, settings).keep_days
    if case.outcome != Outcome.OFFENCE or case.closed_at is None or case.destroyed_at is not None or days is None:
        return None
    return case.closed_at + timedelta(days)


def state(case: Case, now: datetime) -> str:
    """Where a case stands, in a word."""
    if case.closed_at is not None:
        return str(case.outcome)
    if case.approved_at is None:
        return "not approved"
    if case.stopped_at is not None or now >= case.until:
        return "ended"
    return "approved" if now < case.since else "recording"
