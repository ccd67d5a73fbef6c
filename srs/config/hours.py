"""Hours of the week, as rules name them: `mon-fri 08:00-18:00`."""

import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = "|".join(DAYS)
_FORM: Final = re.compile(
    rf"(?:(?P<first>{_DAY})(?:-(?P<last>{_DAY}))?)?\s*(?:(?P<since>\d\d:\d\d)-(?P<until>\d\d:\d\d))?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Hours:
    """Some days, all day or from one time to before another."""

    days: frozenset[int]
    """Monday is 0."""
    since: time = time()
    until: time = time()
    """Not after `since`: on the next morning."""

    @classmethod
    def parse(cls, text: str) -> "Hours":
        """
        Raises:
            ValueError: it names no hours.
        """
        found = _FORM.fullmatch(text.strip())
        if found is None or not text.strip():
            raise ValueError('must be like "mon-fri 08:00-18:00", "sat" or "22:00-06:00"')
        first, last = (found[name].lower() if found[name] else None for name in ("first", "last"))
        begin = DAYS.index(first) if first else 0
        count = (DAYS.index(last) - begin) % 7 + 1 if last else 1 if first else 7
        days = frozenset((begin + day) % 7 for day in range(count))
        if not found["since"]:
            return cls(days)
        return cls(days, time.fromisoformat(found["since"]), time.fromisoformat(found["until"]))

    def include(self, moment: datetime) -> bool:
        """Whether a local moment is among them; the night after a day is that day's."""
        at, day = moment.time(), moment.weekday()
        if self.since < self.until:
            return day in self.days and self.since <= at < self.until
        return (day in self.days and at >= self.since) or ((day - 1) % 7 in self.days and at < self.until)


def check(text: str) -> str:
    """The text, if it names hours.

    Raises:
        ValueError: it does not.
    """
    Hours.parse(text)
    return text
