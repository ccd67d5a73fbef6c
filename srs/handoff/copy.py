"""Copies of recordings elsewhere: made, and taken away again when their recording is deleted."""

import io
import json
from pathlib import PurePosixPath
from typing import IO

from pydantic import ValidationError
from sqlmodel import Session

from srs.archive import audio
from srs.archive.catalogue import details
from srs.archive.database import writing
from srs.archive.errors import ArchiveError
from srs.archive.export import tags
from srs.archive.tables import Recording, State
from srs.config.handoff import HandoffSettings
from srs.config.settings import Settings
from srs.handoff import copies
from srs.handoff.destination import Options, opened
from srs.handoff.errors import HandoffError, NeedsPerson
from srs.handoff.module import Also, Job
from srs.handoff.tables import Task


class Copy:
    """The module that makes them."""

    def __init__(self, settings: Settings, entry: HandoffSettings) -> None:  # noqa: ARG002
        self._options = Options(**entry.options)

    def run(self, job: Job) -> Also:
        """Put it there, whole or not at all; where is kept for the receipt."""
        row, kind = job.recording, self._options.format or job.recording.format or "wav"
        name = f"{row.started_at:%Y/%m/%d}/{row.id}"
        with _sound(job, kind) as sound, opened(self._options) as there:
            there.put(f"{name}.{kind}", sound)
            if self._options.facts:
                facts = json.dumps(details(job.context.engine, row, job.context.store), ensure_ascii=False, indent=2)
                there.put(f"{name}.json", io.BytesIO(facts.encode()))
        where = f"{self._options.url.rstrip('/')}/{name}.{kind}"

        def note(session: Session) -> None:
            task = session.get_one(Task, job.task.id)
            task.payload = {**task.payload, copies.WHERE: where}
            recording = session.get_one(Recording, row.id, with_for_update=True)
            if recording.state == State.DELETED:  # while the copy was made
                copies.remove_late(session, task, job.context.now())

        return note


def _sound(job: Job, kind: str) -> IO[bytes]:
    source = job.open_sound()
    if kind == job.recording.format:
        return source
    file = io.BytesIO()
    with source:
        sound = audio.read(source)
        audio.write(file, kind, sound.pieces, sound.channels, sound.rate, tags(job.recording))
    file.seek(0)
    return file


class Removal:
    """The module that takes them away again, of all rules."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def run(self, job: Job) -> Also:
        """The receipt says what became of the copy, also while it is still there."""
        where = job.task.payload["copy"]
        try:
            self._remove(job.task, where)
        except (HandoffError, ArchiveError, OSError) as error:
            with writing(job.context.engine) as session:
                copies.say(session, job.recording.id, where, f"not deleted yet: {error}")
            raise

        def note(session: Session) -> None:
            copies.say(session, job.recording.id, where, "deleted")

        return note

    def _remove(self, task: Task, where: str) -> None:
        options = self._options(task.name)
        folder = options.url.rstrip("/") + "/" if options else ""
        if options is None or not where.startswith(folder):
            raise NeedsPerson(
                f"no [[handoff]] {task.name} of the settings leads to {where}: set it and `srs tasks retry {task.id}`,"
                f" or delete the copy by hand and `srs tasks cancel {task.id}`"
            )
        key = PurePosixPath(where.removeprefix(folder))
        with opened(options) as there:
            there.delete(str(key))
            there.delete(str(key.with_suffix(".json")))

    def _options(self, name: str) -> Options | None:
        found = (each for each in self._settings.handoff if each.name == name and each.module == copies.COPY)
        try:
            return next((Options(**each.options) for each in found), None)
        except ValidationError as error:
            raise NeedsPerson(f"[[handoff]] {name}: options: {error}") from error
