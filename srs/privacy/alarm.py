"""An alarm when too many callers are not told that they are recorded."""

from datetime import datetime, timedelta

from sqlalchemy import Engine

from srs.alarms import Alarms
from srs.privacy.untold import told_and_untold

EVERY_S = 60.0
PERIOD = timedelta(days=1)
FEWEST = 10
"""Calls in the period, below which a share says little: one call would raise the alarm."""


def look(engine: Engine, limit: float, alarms: Alarms, now: datetime) -> None:
    """Raise the alarm or clear it.

    Args:
        limit: share of the calls that may be without notice.
    """
    told, untold = told_and_untold(engine, now - PERIOD, now)
    calls = told + untold
    above = calls >= FEWEST and untold > limit * calls
    reason = f"{untold} of {calls} calls of the last day without notice, more than {limit:.0%}"
    alarms.set("notice", reason if above else None)
