"""What was said, by a program of your own: it gets the sound as a file and writes the text."""

import subprocess
import tempfile

from pydantic import Field
from sqlmodel import Session

from srs.archive.tables import Recording, State
from srs.config.handoff import HandoffSettings
from srs.config.settings import Settings
from srs.config.values import Section
from srs.handoff.delete import TRANSCRIPT
from srs.handoff.errors import NeedsPerson, NotNow
from srs.handoff.module import Also, Job

LONGEST = 1 << 20


class Options(Section):
    """Of `module = "transcribe"`."""

    command: list[str] = Field(min_length=1)
    """Program and arguments; the name of the sound file follows them. Its output is the text."""
    timeout_s: float = Field(default=3000.0, gt=0)


class Transcribe:
    """The module."""

    def __init__(self, settings: Settings, entry: HandoffSettings) -> None:  # noqa: ARG002
        self._options = Options(**entry.options)

    def run(self, job: Job) -> Also:
        """The text becomes the fact `transcript`, which goes with the sound."""
        text = self._text(job)

        def note(session: Session) -> None:
            row = session.get_one(Recording, job.recording.id, with_for_update=True)
            if row.state != State.DELETED:  # since we began
                row.facts = {**row.facts, TRANSCRIPT: text}

        return note

    def _text(self, job: Job) -> str:
        command, limit = self._options.command, self._options.timeout_s
        with tempfile.NamedTemporaryFile(suffix=f".{job.recording.format}") as file:
            with job.open_sound() as sound:
                file.write(sound.read())
                file.flush()
            try:
                done = subprocess.run([*command, file.name], capture_output=True, check=False, timeout=limit)
            except FileNotFoundError as error:
                raise NeedsPerson(f"{command[0]}: no such program") from error
            except subprocess.TimeoutExpired as error:
                raise NotNow(f"{command[0]} took longer than {limit:.0f} s") from error
        if done.returncode:
            raise NotNow(f"{command[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")
        return done.stdout[:LONGEST].decode(errors="replace").strip()
