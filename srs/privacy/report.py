"""What a data-protection report says of a period, in numbers; nobody is named in it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine
from sqlmodel import col, select

from srs.archive.database import reading
from srs.archive.tables import Notice, Reconciliation, Recording, State
from srs.config import Settings
from srs.handoff.retention import expiry
from srs.handoff.tables import Receipt
from srs.privacy.cases.tables import Case
from srs.privacy.request import of_period
from srs.privacy.untold import told_and_untold


@dataclass(frozen=True, slots=True)
class Report:
    """Of the time from `since` to `until`, except where it says now."""

    since: datetime
    until: datetime
    purposes: Mapping[str, int]
    """Calls by purpose, `""` for none; those whose sound was not kept aside."""
    days: Mapping[date, int]
    """The same calls by day (UTC)."""
    not_kept: int
    """Calls whose sound was not kept: do-not-record, or no purpose."""
    told: int
    untold: int
    """Calls in which all were told, in which somebody was not; where it was looked for."""
    notices: Mapping[str, int]
    """Parties by what is known of their having been told."""
    kept: Mapping[str, int]
    """Recordings of any time with sound by purpose, now."""
    overdue: int
    """Of these: kept longer than their period, and not under legal hold."""
    held: int
    """Of these: under legal hold."""
    listed: int
    missing: int
    """Calls on lists of the PBX that began in the period (`srs reconcile`), and those of them without recording."""
    deletions: Mapping[str, int]
    """By why: up to the colon of the receipt's reason."""
    requests: Mapping[str, int]
    """By kind."""
    cases: Mapping[str, int]
    """Cases of secret recording that were closed, by outcome; one that is open may not be guessed from a number."""

    @property
    def calls(self) -> int:
        return sum(self.purposes.values())


def report(engine: Engine, settings: Settings, since: datetime, until: datetime, now: datetime) -> Report:
    """Count."""
    in_period = (Recording.started_at >= since, Recording.started_at < until)
    with reading(engine) as session:
        rows = list(session.exec(select(Recording).where(*in_period)))
        ready = list(session.exec(select(Recording).where(Recording.state == State.READY)))
        receipts = session.exec(select(Receipt.reason).where(Receipt.at >= since, Receipt.at < until)).all()
        states = select(Notice.state).join(Recording, col(Recording.id) == col(Notice.recording_id)).where(*in_period)
        notices = session.exec(states).all()
        lists = session.exec(
            select(Reconciliation).where(Reconciliation.since >= since, Reconciliation.since < until)
        ).all()
        closed = session.exec(select(Case.outcome).where(col(Case.closed_at) >= since, col(Case.closed_at) < until))
        cases = Counter(outcome for outcome in closed if outcome is not None)
    not_kept = [row for row in rows if _was_not_kept(row)]
    counted = [row for row in rows if not _was_not_kept(row)]
    told, untold = told_and_untold(engine, since, until)
    return Report(
        since=since,
        until=until,
        purposes=Counter(row.purpose or "" for row in counted),
        days=Counter(row.started_at.date() for row in counted),
        not_kept=len(not_kept),
        told=told,
        untold=untold,
        notices=Counter(notices),
        kept=Counter(row.purpose or "" for row in ready),
        overdue=sum(_is_overdue(row, settings, now) for row in ready),
        held=sum(row.held for row in ready),
        listed=sum(each.calls for each in lists),
        missing=sum(each.missing for each in lists),
        deletions=Counter(reason.partition(":")[0] for reason in receipts),
        requests=Counter(each.kind for each in of_period(engine, since, until)),
        cases=cases,
    )


def _was_not_kept(row: Recording) -> bool:
    return row.state == State.DELETED and (row.reason or "").startswith("not kept")


def _is_overdue(row: Recording, settings: Settings, now: datetime) -> bool:
    due_at, _ = expiry(row, settings)
    return not row.held and due_at is not None and due_at < now
