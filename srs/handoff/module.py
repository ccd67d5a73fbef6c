"""What a module is: something that is done with a recording, as a task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Protocol

from sqlalchemy import Engine
from sqlmodel import Session

from srs.archive.export import open_sound
from srs.archive.store import Store
from srs.archive.tables import Recording
from srs.config import Settings
from srs.handoff.tables import Task

Also = Callable[[Session], None]
"""Writes what became of a task, in the transaction that says that it is done."""


Witness = Callable[[str, str, Mapping[str, object]], None]
"""Writes into the audit what the recorder does by itself: action, on what (`recording:ID`), details.

Called before it is done. Raises DatabaseError: it is not written; then it must not be done now.
"""


def nobody(action: str, subject: str, details: Mapping[str, object]) -> None:
    """No audit is kept."""


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Context:
    """Where modules work."""

    settings: Settings
    engine: Engine
    store: Store
    now: Callable[[], datetime] = utc_now
    witness: Witness = nobody


@dataclass(frozen=True)
class Job:
    """A task, and the recording that it is about, if it is about one."""

    task: Task
    row: Recording | None
    context: Context

    @property
    def recording(self) -> Recording:
        """The recording of a task that is about one."""
        assert self.row is not None, f"task {self.task.id} is about no recording"
        return self.row

    def open_sound(self) -> IO[bytes]:
        """The sound as it is stored; the audit says for which rule it was opened.

        Raises:
            NotReady, StoreError, DatabaseError: there is none, or not now. A module lets these pass.
        """
        self.context.witness(
            "open sound", f"recording:{self.recording.id}", {"for": f"{self.task.kind} {self.task.name}".strip()}
        )
        return open_sound(self.recording, self.context.store)


class Module(Protocol):
    """Does the tasks of one kind, one at a time."""

    def run(self, job: Job) -> Also | None:
        """Do it. It may have been done before, in part or whole: a worker that dies leaves its task to another.

        Returns:
            What is to be written with its end.

        Raises:
            NotNow, Waits, NeedsPerson: it could not be done; the message says why, to people.
        """
