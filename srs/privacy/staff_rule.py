"""Employees are told of their recorded calls by a rule: after each period the mails are noted as tasks."""

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import structlog
from sqlalchemy import Engine

from srs.archive.database import writing
from srs.config import Settings
from srs.config.privacy import StaffNoticeSettings
from srs.handoff import tasks
from srs.handoff.letters import letter
from srs.privacy import staff

log = structlog.get_logger()

EVERY_S: Final = 600.0
GRACE: Final = timedelta(hours=6)
"""After the end of a period, in which its last calls come into the archive."""
_MONTHS: Final = {"month": 1, "quarter": 3}


def last_period(kind: Literal["week", "month", "quarter"], now: datetime) -> tuple[datetime, datetime]:
    """The last period that is over: from its first moment to before the other (UTC; weeks begin on Monday)."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if kind == "week":
        end = today - timedelta(days=today.weekday())
        return end - timedelta(days=7), end
    months = _MONTHS[kind]
    end = today.replace(day=1, month=today.month - (today.month - 1) % months)
    begin = end.month - months
    return (end.replace(month=begin) if begin > 0 else end.replace(year=end.year - 1, month=begin + 12)), end


class StaffNotices:
    """The rules, and what was noted by them."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._noted: dict[str, datetime] = {}
        """Until when each rule's mails are noted."""

    def look(self, now: datetime) -> None:
        """Note the mails of the periods that ended; those that stand there already are not noted again."""
        for rule in self._settings.staff_notice:
            since, until = last_period(rule.period, now - GRACE)
            if self._noted.get(rule.name) != until:
                self._note(rule, since, until, now)
                self._noted[rule.name] = until

    def _note(self, rule: StaffNoticeSettings, since: datetime, until: datetime, now: datetime) -> None:
        found = staff.samples(self._engine, self._settings, since, until, rule.group)
        with writing(self._engine) as session:
            for sample in found:
                key = f"{sample.user.id}/{since:%Y-%m-%d}"
                subject, text = staff.letter(sample, since, until, rule.language)
                tasks.add(session, letter(key, rule.name, sample.user.mail, subject, text), now)
        if found:
            period = {"since": str(since.date()), "until": str(until.date())}
            log.info("employees are told", rule=rule.name, **period, mails=len(found))
