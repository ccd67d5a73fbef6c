"""Were all calls recorded? The calls that another system lists, beside the recordings there are."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import col, select

from srs.archive.cdr import Cdr
from srs.archive.database import reading, writing
from srs.archive.subject import number
from srs.archive.tables import Identifier, NoticeState, Reconciliation, Recording, State
from srs.config.reconcile import ReconcileSettings

TAIL = 7
"""Digits at the end of a number that must be the same: +31201234567 is 0201234567 is 1234567."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What there is to compare of a recording."""

    id: str
    state: str
    started_at: datetime
    seconds: float
    parties: frozenset[str]
    """Numbers of caller and callee."""
    identifiers: frozenset[str]
    untold: bool = False
    """Whether notice was looked for and a party had none."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a listed call."""

    cdr: Cdr
    verdict: str
    """`recorded`, `missing`, `short`, `double` (several recordings) or `failed` (there is one without sound)."""
    recordings: tuple[str, ...]
    """Ids, the nearest in time first."""
    lacks_s: float = 0.0
    """Seconds that the recording is shorter than the call."""
    without_notice: bool = False
    """Whether a party was not told of the recording."""

    @property
    def is_right(self) -> bool:
        """Recorded once and whole, and nobody was left untold."""
        return self.verdict == "recorded" and not self.without_notice


def compare(cdrs: Sequence[Cdr], recorded: Iterable[Recorded], settings: ReconcileSettings) -> list[Finding]:
    """What became of each call. No recording stands for two calls.

    A call and a recording are the same when they share an identifier, or when they began at about the same time and
    the numbers that the list names are among the recording's.
    """
    known = sorted(recorded, key=lambda each: each.started_at)
    by_name: defaultdict[str, list[Recorded]] = defaultdict(list)
    for each in known:
        for identifier in each.identifiers:
            by_name[identifier].append(each)
    starts, taken, found = [each.started_at for each in known], set[str](), []
    for cdr in cdrs:
        slack = timedelta(seconds=settings.tolerance_s)
        near = known[bisect_left(starts, cdr.started_at - slack) : bisect_left(starts, cdr.started_at + slack)]
        fitting = by_name.get(cdr.call_id or "") or [each for each in near if _is_same(cdr, each)]
        free = [each for each in fitting if each.id not in taken]
        free.sort(key=lambda each: abs(each.started_at - cdr.started_at))
        taken |= {each.id for each in free}
        found.append(_judge(cdr, free, settings.short_s))
    return found


def _is_same(cdr: Cdr, each: Recorded) -> bool:
    named = [party for party in (cdr.caller, cdr.callee) if number(party)]
    return bool(named) and all(_among(party, each.parties) for party in named)


def _among(party: str, parties: Iterable[str]) -> bool:
    wanted = number(party)
    long = [other for other in parties if len(other) >= TAIL and other[-TAIL:] == wanted[-TAIL:]]
    return wanted in parties or (len(wanted) >= TAIL and bool(long))


def _judge(cdr: Cdr, fitting: Sequence[Recorded], short_s: float) -> Finding:
    ids, untold = tuple(each.id for each in fitting), any(each.untold for each in fitting)
    if not fitting:
        return Finding(cdr, "missing", ids)
    if all(each.state == State.FAILED for each in fitting):
        return Finding(cdr, "failed", ids, without_notice=untold)
    lacks_s = cdr.seconds - max(each.seconds for each in fitting)
    if lacks_s > short_s:
        return Finding(cdr, "short", ids, lacks_s, untold)
    return Finding(cdr, "double" if len(fitting) > 1 else "recorded", ids, without_notice=untold)


def recordings(engine: Engine, cdrs: Sequence[Cdr], settings: ReconcileSettings) -> list[Recorded]:
    """The recordings of the time that the list is about, deleted ones too: they were made."""
    if not cdrs:
        return []
    slack = timedelta(seconds=settings.tolerance_s)
    within = col(Recording.started_at).between(cdrs[0].started_at - slack, cdrs[-1].started_at + slack)
    names: defaultdict[str, set[str]] = defaultdict(set)
    with reading(engine) as session:
        rows = session.exec(select(Recording).where(within)).all()
        for identifier in session.exec(select(Identifier).join(Recording).where(within)):
            names[identifier.recording_id].add(identifier.value)
    return [_recorded(row, names[row.id]) for row in rows]


def _recorded(row: Recording, names: set[str]) -> Recorded:
    told = [row.caller, row.callee, *(leg.aor for leg in row.legs)]
    parties = frozenset(number(party) for party in told if party)
    own = {name for name in (row.call_id, row.session_id) if name}
    untold = any(notice.state == NoticeState.MISSING for notice in row.notices)
    return Recorded(row.id, row.state, row.started_at, row.duration_s, parties, frozenset(names | own), untold)


def note(engine: Engine, source: str, found: Sequence[Finding], now: datetime) -> None:
    """Keep the result for the report."""
    count = {verdict: sum(each.verdict == verdict for each in found) for verdict in ("missing", "short", "double")}
    count["missing"] += sum(each.verdict == "failed" for each in found)
    count["without_notice"] = sum(each.without_notice for each in found)
    since, until = (found[0].cdr.started_at, found[-1].cdr.started_at) if found else (now, now)
    with writing(engine) as session:
        session.add(Reconciliation(at=now, source=source, since=since, until=until, calls=len(found), **count))
