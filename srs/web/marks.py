"""What is marked on the time axis of a recording."""

from dataclasses import asdict, dataclass
from typing import Any

from srs.archive.tables import Leg, Recording

MOST = 500
"""Marks of a kind that a page draws."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of time, or a moment, in one channel or in all."""

    kind: str
    """`loss`, `pause`, `key`, `event`."""
    at: float
    """Seconds since the start."""
    length: float
    channel: int | None
    text: str


def marks(row: Recording) -> list[dict[str, Any]]:
    """In order of time, fit for JSON."""
    found = [mark for leg in row.legs for mark in _of_leg(leg)]
    for at, event in row.facts.get("events", []):
        if not event.startswith("peer;"):
            found.append(Mark("event", at, 0.0, None, event))
    return [asdict(mark) for mark in sorted(found, key=lambda mark: mark.at)]


def _of_leg(leg: Leg) -> list[Mark]:
    facts, channel = leg.facts, leg.channel
    gaps = [Mark("loss", at, length, channel, f"{length:.2f} s") for at, length in facts.get("gaps", [])[:MOST]]
    pauses = [Mark("pause", at, length, channel, f"{length:.1f} s") for at, length in facts.get("pauses", [])[:MOST]]
    keys = [Mark("key", at, length, channel, str(key)) for at, length, key in facts.get("digits", [])[:MOST]]
    return gaps + pauses + keys
