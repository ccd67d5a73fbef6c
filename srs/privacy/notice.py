"""Who in a call was told that it is recorded, and how that is known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import structlog

from srs.archive.subject import is_extension
from srs.archive.tables import Notice, NoticeState, Recording
from srs.config.rules import NumbersSettings
from srs.privacy.detect import RATE_OF_FILES, Announcement, Found, announcement, occurrences
from srs.siprec.src_audio import load

if TYPE_CHECKING:
    from srs.archive.finalise import LegSound
    from srs.archive.finalise import Recording as Finalised

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody in the call, from when to when."""

    who: str | None
    label: str | None
    """Of the leg that it speaks on."""
    from_s: float
    to_s: float | None


@dataclass(frozen=True, slots=True)
class Heard:
    """The announcement on a leg."""

    channel: int
    label: str | None
    found: Found


def parties(row: Recording, facts: dict[str, Any]) -> list[Party]:
    """Everybody in a call once, in the order of coming, from the first moment to the last."""
    told = cast("list[dict[str, Any]]", facts.get("participants") or [])
    spans = [Party(each["aor"] or each["name"], each["label"], each["from_s"], each["to_s"]) for each in told]
    spans = spans or [Party(leg.aor or leg.name, leg.label, 0.0, None) for leg in row.legs]
    found: dict[str | None, Party] = {}
    for span in sorted(spans, key=lambda span: span.from_s):
        key = span.who or span.label
        first = found.get(key)
        found[key] = span if first is None else Party(first.who, first.label, first.from_s, _later(first, span))
    return list(found.values())


def _later(one: Party, other: Party) -> float | None:
    return None if one.to_s is None or other.to_s is None else max(one.to_s, other.to_s)


def notices(
    row: Recording, finalised: "Finalised", sound: Path | str | None, header: str | None, numbers: NumbersSettings
) -> list[Notice]:
    """What is known of each party's having been told.

    Args:
        sound: file of the announcement of the recording's purpose, `outside`, or None where there is none.
        header: by which a client says that it told them.
    """
    told_by = "[[purpose]] notice" if sound == "outside" else _said(finalised.facts, header)
    wanted = _announcement(sound) if isinstance(sound, Path) and told_by is None else None
    heard = list(_heard(wanted, finalised.legs)) if wanted else []
    return [
        _notice(place, party, wanted, heard, numbers, told_by, row.purpose)
        for place, party in enumerate(parties(row, finalised.facts))
    ]


def _notice(
    place: int,
    party: Party,
    wanted: Announcement | None,
    heard: Sequence[Heard],
    numbers: NumbersSettings,
    told_by: str | None,
    purpose: str | None,
) -> Notice:
    notice = Notice(
        place=place,
        party=party.who,
        from_s=party.from_s,
        to_s=party.to_s,
        state=NoticeState.UNCHECKED,
        purpose=purpose,
    )
    if party.who and is_extension(party.who, numbers):
        notice.state = NoticeState.STAFF
    elif told_by is not None:
        notice.state, notice.told_by = NoticeState.OUTSIDE, told_by
    elif wanted is not None:
        _look(notice, party, wanted, heard)
    return notice


def _look(notice: Notice, party: Party, wanted: Announcement, heard: Sequence[Heard]) -> None:
    """Take the first announcement that the party was there for, else the best try."""
    audible = [each for each in heard if each.label != party.label] or list(heard)
    there = [each for each in audible if each.found.heard and _was_there(party, each.found, wanted.seconds)]
    best = min(there, key=lambda each: each.found.second) if there else None
    notice.state = NoticeState.HEARD if best else NoticeState.MISSING
    if best:
        notice.second, notice.score, notice.channel = best.found.second, best.found.score, best.channel
    else:
        notice.score = max((each.found.score for each in audible if not each.found.heard), default=None)


def _was_there(party: Party, found: Found, seconds: float) -> bool:
    """Whether a party was in the call for the middle of an announcement."""
    middle = found.second + seconds / 2
    return middle >= party.from_s and (party.to_s is None or middle <= party.to_s)


def _heard(wanted: Announcement, legs: "Sequence[LegSound]") -> Iterator[Heard]:
    for channel, leg in enumerate(legs):
        for found in occurrences(wanted, leg.samples, leg.sample_rate):
            yield Heard(channel, leg.label, found)


def _said(facts: dict[str, Any], header: str | None) -> str | None:
    """What the client says by a header of the INVITE or an element of the metadata; a `no` says nothing."""
    if header is None:
        return None
    value = facts.get("headers", {}).get(header.lower())
    if value is not None and value.strip().lower() not in ("no", "false", "0", ""):
        return f"{header}: {value}"
    return f"metadata {header}" if header.lower() in facts.get("extensions", []) else None


def _announcement(path: Path) -> Announcement | None:
    """What a file announces; None, and the log says why, if it cannot be used."""
    try:
        return _load(path, path.stat().st_mtime_ns)
    except (OSError, ValueError) as error:
        log.error("the announcement cannot be used, so nobody is told by it", file=str(path), reason=str(error))
        return None


@lru_cache(maxsize=32)
def _load(path: Path, changed_ns: int) -> Announcement:  # noqa: ARG001 - a changed file is read anew
    return announcement(load(path), RATE_OF_FILES)
