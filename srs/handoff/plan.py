"""What is to happen to a recording, noted in the transaction that saves it."""

from collections.abc import Iterator

from sqlmodel import Session

from srs.archive.keep import OnStored
from srs.archive.subject import matches, subject
from srs.archive.tables import Recording, State
from srs.config import Settings
from srs.handoff import mail, tasks
from srs.handoff.delete import deletion
from srs.handoff.tasks import Wanted


def planner(settings: Settings) -> OnStored:
    """For `Archive.on_stored`."""

    def note(session: Session, row: Recording) -> None:
        if row.state == State.DELETED:  # its sound may not even be kept
            return
        for wanted in wanted_for(row, settings):
            tasks.add(session, wanted, row.created_at)

    return note


def wanted_for(row: Recording, settings: Settings) -> Iterator[Wanted]:
    """The tasks that the settings ask for."""
    if row.state == State.READY:
        seen = subject(row, settings.numbers, settings.group)
        for rule in settings.mail.rule:
            if matches(rule.match, seen):
                yield Wanted(mail.KIND, row.id, row.created_at, rule.name)
        for entry in settings.handoff:
            if matches(entry.match, seen):
                stops = entry.on_failure == "stop"
                yield Wanted(entry.module, row.id, row.created_at, entry.name, position=entry.order, blocks=stops)
    if last := deletion(row, settings):
        yield last
