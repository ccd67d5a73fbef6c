"""What rules look at of a recording, and whether a rule is for it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from sqlalchemy import ColumnElement
from sqlmodel import col

from srs.archive.tables import Recording
from srs.config.hours import Hours
from srs.config.rules import GroupSettings, Match, NumbersSettings

_ADDRESS = re.compile(r"(?:(?:sips?|tel):)?\s*(?P<user>[^@;>?\s]+)", re.IGNORECASE)
_NUMBER = re.compile(r"\+?[0-9*#.\-() ]+")


@dataclass(frozen=True, slots=True)
class Subject:
    """A recording as rules see it."""

    caller: str | None
    callee: str | None
    parties: tuple[str, ...]
    """Addresses of all legs and of caller and callee."""
    extensions: tuple[str, ...]
    """Those of the parties that are own."""
    groups: frozenset[str]
    direction: str
    peer: str | None
    purpose: str | None
    tags: frozenset[str]
    duration_s: float
    started_at: datetime


def subject(row: Recording, numbers: NumbersSettings, groups: Sequence[GroupSettings]) -> Subject:
    """What rules look at of a row."""
    parties = _parties(row)
    return Subject(
        caller=row.caller,
        callee=row.callee,
        parties=parties,
        extensions=tuple(party for party in parties if is_extension(party, numbers)),
        groups=frozenset(group.name for group in groups if fits(group.extensions, parties)),
        direction=direction(row.caller, row.callee, numbers),
        peer=row.peer,
        purpose=row.purpose,
        tags=frozenset(row.tags),
        duration_s=row.duration_s,
        started_at=row.started_at,
    )


def _parties(row: Recording) -> tuple[str, ...]:
    told = [row.caller, row.callee, *(leg.aor or leg.name for leg in row.legs)]
    return tuple(dict.fromkeys(party for party in told if party))


def matches(match: Match, seen: Subject) -> bool:
    """Whether a rule is for the recording."""
    return (
        (not match.number or fits(match.number, seen.parties))
        and (not match.caller or fits(match.caller, [seen.caller or ""]))
        and (not match.callee or fits(match.callee, [seen.callee or ""]))
        and (not match.extension or fits(match.extension, seen.extensions))
        and (not match.group or not seen.groups.isdisjoint(match.group))
        and (not match.direction or seen.direction in match.direction)
        and (not match.peer or seen.peer in match.peer)
        and (not match.purpose or seen.purpose in match.purpose)
        and (not match.time or any(Hours.parse(text).include(seen.started_at.astimezone()) for text in match.time))
        and (not match.tag or not seen.tags.isdisjoint(match.tag))
        and (match.min_s is None or seen.duration_s >= match.min_s)
        and (match.max_s is None or seen.duration_s <= match.max_s)
    )


def number(address: str) -> str:
    """The user of an address: `+31201234567` of `sip:+31-20-1234567@example.com;user=phone`; others as they are."""
    found = _ADDRESS.match(address.strip())
    user = found["user"] if found else address
    return re.sub(r"[.\-() ]", "", user) if _NUMBER.fullmatch(user) else user


def is_extension(party: str, numbers: NumbersSettings) -> bool:
    """Whether a party is one's own."""
    user = number(party)
    return (user.isdecimal() and len(user) <= numbers.extension_digits) or fits(numbers.extensions, [party])


def direction(caller: str | None, callee: str | None, numbers: NumbersSettings) -> str:
    """`inbound`, `outbound`, `internal` or `transit`."""
    own = [party is not None and is_extension(party, numbers) for party in (caller, callee)]
    if all(own):
        return "internal"
    return "outbound" if own[0] else "inbound" if own[1] else "transit"


def fits(patterns: Iterable[str], parties: Iterable[str]) -> bool:
    """Whether one of the patterns fits one of the parties."""
    known = _forms(parties)
    return any(fnmatchcase(form, pattern.lower()) for pattern in patterns for form in known)


def _forms(parties: Iterable[str]) -> set[str]:
    """What patterns are compared with."""
    return {form.lower() for party in parties for form in (party, number(party), party.partition(":")[2]) if form}


def parties_text(row: Recording) -> str:
    """What `Recording.parties` keeps, so that the database can tell whom a pattern fits."""
    return "".join(f"{form}\n" for form in sorted(_forms(_parties(row))))


def fits_row(pattern: str) -> ColumnElement[bool]:
    """The condition on rows that `fits` is on parties."""
    return col(Recording.parties).regexp_match(f"(^|\n){_expression(pattern.lower())}\n")


def _expression(pattern: str) -> str:
    """A shell pattern as a regular expression that Python and PostgreSQL read alike."""
    pieces = re.findall(r"\[!?\]?[^\]]*\]|.", pattern, re.DOTALL)
    return "".join(map(_piece, pieces))


def _piece(piece: str) -> str:
    if piece in ("*", "?"):
        return "[^\n]" + ("*" if piece == "*" else "")
    if len(piece) == 1:
        return re.escape(piece)
    inner = re.sub(r"([\\\[^])", r"\\\1", piece[1:-1])
    return f"[^\n{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"
