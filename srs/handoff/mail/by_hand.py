"""Mailing a recording because somebody asks for it, by one of the rules: who gets it is what that says."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from srs.archive.database import reading, writing
from srs.archive.subject import subject
from srs.archive.tables import Recording
from srs.config import Settings
from srs.config.mail import MailRule
from srs.handoff import mail, tasks
from srs.handoff.mail.recipients import recipients
from srs.handoff.tables import Delivery, Task, TaskState
from srs.handoff.tasks import Wanted


@dataclass(frozen=True, slots=True)
class Offer:
    """What a rule would do with a recording."""

    rule: MailRule
    missing: tuple[str, ...]
    """Who would get it."""
    sent: tuple[str, ...]
    """Whose servers have accepted it before; nobody is sent it twice."""
    under_way: bool
    """It is being sent, or tried again."""


def offers(engine: Engine, row: Recording, settings: Settings) -> list[Offer]:
    """What each rule would do, also those that are not for the recording by themselves."""
    with reading(engine) as session:
        return list(_offers(session, row, settings))


def _offers(session: Session, row: Recording, settings: Settings) -> Iterator[Offer]:
    seen = subject(row, settings.numbers, settings.group)
    accepted = select(Delivery).where(Delivery.recording_id == row.id, col(Delivery.accepted))
    sent = {(each.rule, each.recipient) for each in session.exec(accepted)}
    for rule in settings.mail.rule:
        wanted = recipients(rule, seen, settings)
        done = tuple(to for to in wanted if (rule.name, to) in sent)
        task = _task(session, row, rule.name)
        under_way = task is not None and task.state in (TaskState.DUE, TaskState.RUNNING)
        yield Offer(rule, tuple(to for to in wanted if to not in done), done, under_way)


def send(engine: Engine, row: Recording, rule: str, now: datetime) -> int:
    """Have it mailed by a rule, now; one that failed or was called off is tried anew.

    Returns:
        The number of the task.

    Raises:
        NoTask: it is being mailed, or was.
    """
    with writing(engine) as session:
        before = _task(session, row, rule)
        if before is None:
            tasks.add(session, Wanted(mail.KIND, row.id, now, rule), now)
        task = before or _task(session, row, rule)
        assert task is not None
        number = task.id
    if before is not None:
        tasks.retry(engine, number, now)
    return number


def _task(session: Session, row: Recording, rule: str) -> Task | None:
    return session.exec(select(Task).where(Task.key == Wanted(mail.KIND, row.id, row.created_at, rule).key)).first()
