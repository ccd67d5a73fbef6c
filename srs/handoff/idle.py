"""Rules that are for no recording: mostly a name or a number that is spelled otherwise than it should be."""

from collections.abc import Iterator

from sqlalchemy import Engine
from sqlmodel import col, select

from srs.archive.database import reading
from srs.archive.subject import matches, subject
from srs.archive.tables import Recording, State
from srs.config import Settings
from srs.config.privacy import purposes
from srs.config.rules import Match

LOOKED_AT = 500
"""Recordings, the newest."""
FEWEST = 20
"""Below so many, that a rule fits none says little."""


def rules(settings: Settings) -> Iterator[tuple[str, Match]]:
    """Every rule by name, such as `[[mail.rule]] sales`."""
    yield from ((f"[[retention.rule]] {rule.name}", rule.match) for rule in settings.retention.rule)
    yield from ((f"[[mail.rule]] {rule.name}", rule.match) for rule in settings.mail.rule)
    yield from ((f"[[handoff]] {entry.name}", entry.match) for entry in settings.handoff)


def idle_rules(engine: Engine, settings: Settings) -> Iterator[str]:
    """What is to be said of rules that name what there is not, and of those that fit none of the last recordings."""
    query = select(Recording).where(Recording.state != State.DELETED).order_by(col(Recording.started_at).desc())
    with reading(engine) as session:
        rows = list(session.exec(query.limit(LOOKED_AT)))
    seen = [subject(row, settings.numbers, settings.group) for row in rows]
    for name, match in rules(settings):
        if unknown := list(_unknown(match, settings)):
            yield f"{name}: there is no {' and no '.join(unknown)}"
        elif len(seen) >= FEWEST and not any(matches(match, each) for each in seen):
            yield f"{name} fits none of the last {len(seen)} recordings"


def _unknown(match: Match, settings: Settings) -> Iterator[str]:
    known: dict[str, set[str | None]] = {
        "group": {group.name for group in settings.group},
        "peer": {peer.name for peer in settings.peer},
        "purpose": {*purposes(settings.purpose), *(peer.purpose for peer in settings.peer)},
    }
    for kind, names in known.items():
        yield from (f"{kind} {name!r}" for name in getattr(match, kind) if name not in names)
