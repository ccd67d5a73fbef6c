"""One task taken, done, and what became of it written down."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from srs.archive.database import reading
from srs.archive.errors import ArchiveError, DatabaseError, Held, StoreError
from srs.archive.tables import Recording, State
from srs.handoff import tasks
from srs.handoff.errors import Gone, HandoffError, NeedsPerson, NotNow, Waits
from srs.handoff.module import Also, Context, Job, Module
from srs.handoff.tables import Task
from srs.handoff.tasks import Policy

log = structlog.get_logger()

HOLD_PAUSE = timedelta(minutes=5)
STRANGE_PAUSE, STRANGE = timedelta(minutes=1), timedelta(minutes=10)
"""So long a task of a rule that this process does not know may be for another one, with newer settings."""
DEFAULT_POLICY = Policy()


@dataclass(frozen=True)
class Bench:
    """Where the tasks of one kind are done."""

    context: Context
    kind: str
    modules: Mapping[str, Module]
    """By the names of the rules; the one under `""` is for all others."""
    owner: str
    lease: timedelta
    policy: Policy = DEFAULT_POLICY
    chance: random.Random = field(default_factory=random.Random)

    def take(self) -> Task | None:
        """Take the task that is due, if there is one.

        Raises:
            DatabaseError: not now.
        """
        engine, now = self.context.engine, self.context.now()
        if not tasks.is_any_due(engine, self.kind, now):
            return None
        return tasks.claim(engine, self.kind, self.owner, now, self.lease)

    def work(self, task: Task) -> None:
        """Do a task that was taken, and write down what became of it.

        Raises:
            DatabaseError: it was not written down; the task comes again when its lease ends.
        """
        engine, now, known = self.context.engine, self.context.now, _known(task)
        try:
            also = self._run(task)
        except Waits as wait:
            tasks.put_off(engine, task, str(wait), now() + wait.pause)
            log.info("task waits", **known, reason=str(wait))
        except NotNow as error:
            self._try_again(task, str(error))
        except NeedsPerson as error:
            self._give_up(task, str(error))
        except Gone as error:
            tasks.drop(engine, task, str(error), now())
            log.info("task dropped", **known, reason=str(error))
        else:
            tasks.finish(engine, task, now(), also)
            log.info("task done", **known, attempts=task.attempts)

    def _run(self, task: Task) -> Also | None:
        """The module's work; whatever goes wrong is a HandoffError."""
        if task.attempts > self.policy.attempts:
            raise NeedsPerson(f"tried {task.attempts - 1} times, the workers died over it")
        module = self.modules.get(task.name, self.modules.get(""))
        if module is None:
            raise self._strange(task)
        try:
            return module.run(Job(task, self._recording(task), self.context))
        except HandoffError:
            raise
        except Held as error:
            raise Waits(str(error), HOLD_PAUSE) from error
        except (StoreError, DatabaseError, OSError) as error:
            raise NotNow(str(error)) from error
        except ArchiveError as error:
            row = self._recording(task)
            gone = row is not None and row.state == State.DELETED
            raise Gone("the recording was deleted") if gone else NeedsPerson(str(error)) from error
        except Exception as error:
            log.exception("module is defective", **_known(task))
            raise NotNow(f"defect in {self.kind}: {error!r}") from error

    def _strange(self, task: Task) -> HandoffError:
        """Of a rule that the settings do not have."""
        what = f"the settings have no {self.kind} {task.name!r}"
        if self.context.now() < task.created_at + STRANGE:
            return Waits(f"{what}; another recorder's may", STRANGE_PAUSE)
        return NeedsPerson(
            f"{what} any more: put it back and `srs tasks retry {task.id}`, or `srs tasks cancel {task.id}`"
        )

    def _recording(self, task: Task) -> Recording | None:
        if task.recording_id is None:
            return None
        with reading(self.context.engine) as session:
            row = session.get(Recording, task.recording_id)
        if row is None:
            raise NeedsPerson(f"there is no recording {task.recording_id!r} any more")
        return row

    def _try_again(self, task: Task, reason: str) -> None:
        if task.attempts >= self.policy.attempts:
            self._give_up(task, f"{reason} (tried {task.attempts} times)")
            return
        due_at = self.context.now() + self.policy.pause(task.attempts, self.chance.random())
        tasks.try_again(self.context.engine, task, reason, due_at)
        log.warning(
            "task not done yet", **_known(task), reason=reason, attempts=task.attempts, again=due_at.isoformat()
        )

    def _give_up(self, task: Task, reason: str) -> None:
        tasks.give_up(self.context.engine, task, reason, self.context.now())
        log.error("task needs a person", **_known(task), reason=reason, do=f"srs tasks retry {task.id}, or cancel")


def _known(task: Task) -> dict[str, object]:
    return {"task": task.id, "kind": task.kind, "rule": task.name, "recording": task.recording_id}
