"""What is marked on the time axis of a recording."""

from dataclasses import asdict, dataclass
from typing import Any

from srs.archive.tables import Leg, NoticeState, Recording
from srs.siprec import operator

MOST = 500
"""Marks of a kind that a page draws."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of time, or a moment, in one channel or in all."""

    kind: str
    """`loss`, `pause` (the client held), `withheld` (an operator paused), `key`, `notice`, `event`."""
    at: float
    """Seconds since the start."""
    length: float
    channel: int | None
    text: str


def marks(row: Recording) -> list[dict[str, Any]]:
    """In order of time, fit for JSON."""
    found = [mark for leg in row.legs for mark in _of_leg(leg)]
    for at, length, by in row.facts.get("operator_pauses", []):
        found.append(Mark("withheld", at, length, None, f"{length:.1f} s, {by}"))
    found += [Mark("event", at, 0.0, None, said) for at, event in row.facts.get("events", []) if (said := _said(event))]
    found += [
        Mark("notice", max(notice.second, 0.0), 0.0, notice.channel, notice.purpose or "")
        for notice in row.notices
        if notice.second is not None and notice.state == NoticeState.HEARD
    ]
    return [asdict(mark) for mark in sorted(found, key=lambda mark: mark.at)]


def _said(event: str) -> str | None:
    """An event in words; None: it is no event to mark, or marked otherwise."""
    note = operator.read(event)
    if note is None:
        return None if event.startswith("peer;") else event
    if note.act in (operator.PAUSE, operator.RESUME):
        return None
    return f"{note.act}{f' {note.purpose}' if note.purpose else ''}, {note.by}"


def _of_leg(leg: Leg) -> list[Mark]:
    facts, channel = leg.facts, leg.channel
    gaps = [Mark("loss", at, length, channel, f"{length:.2f} s") for at, length in facts.get("gaps", [])[:MOST]]
    pauses = [Mark("pause", at, length, channel, f"{length:.1f} s") for at, length in facts.get("pauses", [])[:MOST]]
    keys = [Mark("key", at, length, channel, str(key)) for at, length, key in facts.get("digits", [])[:MOST]]
    return gaps + pauses + keys
