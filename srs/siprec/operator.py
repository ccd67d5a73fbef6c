"""What operators did with a recording session under way, as its capture tells it; values are as in URLs.

operator;act=pause;by=user%3Aanna            from here on nothing that comes is kept
operator;act=resume;by=user%3Aanna
operator;act=purpose;by=…;purpose=complaint  what the call is kept for, whatever the rules say
operator;act=stop;by=…                       the recorder hangs up
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

PAUSE: Final = "pause"
RESUME: Final = "resume"
PURPOSE: Final = "purpose"
STOP: Final = "stop"
ACTS: Final = (PAUSE, RESUME, PURPOSE, STOP)


@dataclass(frozen=True, slots=True)
class Note:
    """One act."""

    act: str
    by: str
    """As the audit names who did it."""
    purpose: str | None = None

    def __str__(self) -> str:
        pairs = {"act": self.act, "by": self.by, **({"purpose": self.purpose} if self.purpose else {})}
        return ";".join(["operator", *(f"{name}={quote(value, safe='')}" for name, value in pairs.items())])


class Pause(NamedTuple):
    """A time in which nothing was kept."""

    since: float
    until: float
    by: str


def read(event: str) -> Note | None:
    """The act that a note of the recorder tells of; None: it tells of something else."""
    kind, *parts = event.split(";")
    if kind != "operator":
        return None
    told = {name: unquote(value) for name, _, value in (part.partition("=") for part in parts)}
    return Note(told.get("act", ""), told.get("by", ""), told.get("purpose"))


def pauses(events: Iterable[tuple[float, str]], end: float) -> tuple[Pause, ...]:
    """The pauses that notes tell of, given in order of time; one that is not ended lasts until `end`."""
    found: list[Pause] = []
    since: tuple[float, str] | None = None
    for at, event in events:
        note = read(event)
        if note and note.act == PAUSE and since is None:
            since = at, note.by
        elif note and note.act == RESUME and since is not None:
            found.append(Pause(since[0], at, since[1]))
            since = None
    return (*found, Pause(since[0], max(end, since[0]), since[1])) if since else tuple(found)


def purpose(events: Iterable[tuple[float, str]]) -> str | None:
    """The purpose that was given by hand, the last one; None: none was."""
    notes = [note for _, event in events if (note := read(event)) and note.act == PURPOSE]
    return notes[-1].purpose if notes else None
