"""One task done: what each way to end makes of it."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from srs.archive.database import writing
from srs.archive.errors import Held, NotReady, StoreError
from srs.handoff import tasks
from srs.handoff.errors import NeedsPerson, NotNow, Waits
from srs.handoff.run import Bench
from srs.handoff.tasks import Policy, Wanted


class Module:
    """Does what a test tells it, and remembers what it was called with."""

    def __init__(self, *ends: object) -> None:
        self.ends, self.jobs = list(ends), []

    def run(self, job):
        self.jobs.append(job)
        end = self.ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end


@pytest.fixture
def work(shelf):
    """Has a module do the one task; returns the task afterwards."""
    shelf.record(shelf.settings())
    with writing(shelf.engine) as session:
        tasks.add(session, Wanted("try", "a1", shelf.clock(), "rule"), shelf.clock())

    def do(module: Module, **more):
        bench = Bench(shelf.context(), "try", {"rule": module}, "me", timedelta(minutes=1), **more)
        with capture_logs() as lines:
            bench.work(bench.take())
        return shelf.tasks()["try rule"], lines[-1]

    return do


def test_done_with_what_the_module_writes(work, shelf):
    def also(session) -> None:
        tasks.add(session, Wanted("next", "a1", shelf.clock()), shelf.clock())

    module = Module(also)
    task, line = work(module)
    assert (task.state, line["event"], line["recording"]) == ("done", "task done", "a1")
    assert "next" in shelf.tasks()
    with module.jobs[0].open_sound() as sound:
        assert sound.read(4) == b"RIFF"


@pytest.mark.parametrize(
    ("end", "state", "said"),
    [
        (Waits("for the moon", timedelta(days=1)), "due", "for the moon"),
        (Held("legal hold"), "due", "legal hold"),
        (NotNow("451 busy"), "due", "451 busy"),
        (StoreError("away"), "due", "away"),
        (ConnectionRefusedError(111, "Connection refused"), "due", "[Errno 111] Connection refused"),
        (NeedsPerson("550 unknown"), "failed", "550 unknown"),
        (NotReady("there is no sound"), "failed", "there is no sound"),
        (ZeroDivisionError("x"), "due", "defect in try: ZeroDivisionError('x')"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_each_way_to_fail(work, end: Exception, state: str, said: str):
    task, _ = work(Module(end))
    assert (task.state, task.last_error) == (state, said)
    assert task.attempts == (0 if isinstance(end, Waits | Held) else 1)


def test_tried_so_often_and_no_more(work, shelf):
    policy = Policy(attempts=3)
    for attempt in (1, 2):
        task, _ = work(Module(NotNow("busy")), policy=policy)
        assert (task.state, task.attempts) == ("due", attempt)
        shelf.clock.time = task.due_at
    task, line = work(Module(NotNow("busy")), policy=policy)
    assert (task.state, task.last_error) == ("failed", "busy (tried 3 times)")
    assert line["do"] == f"srs tasks retry {task.id}, or cancel"


def test_what_kills_its_workers_is_not_taken_for_ever(work, shelf):
    for _ in range(3):
        tasks.claim(shelf.engine, "try", "victim", shelf.clock(), timedelta(seconds=1))
        shelf.clock.on(seconds=1)
    module = Module()
    task, _ = work(module, policy=Policy(attempts=3))
    assert (task.state, task.last_error, module.jobs) == ("failed", "tried 3 times, the workers died over it", [])


def test_a_rule_that_is_gone_needs_a_person(work, shelf):
    with writing(shelf.engine) as session:
        tasks.add(session, Wanted("try", "a1", shelf.clock() - timedelta(1), "old rule"), shelf.clock())
    work(Module())
    task = shelf.tasks()["try old rule"]
    assert (task.state, task.last_error) == ("due", "the settings have no try 'old rule'; another recorder's may")
    shelf.clock.on(minutes=10)
    tasks.cancel(shelf.engine, shelf.tasks()["try rule"].id, shelf.clock())
    work(Module())
    task = shelf.tasks()["try old rule"]
    assert task.state == "failed"
    assert task.last_error.startswith("the settings have no try 'old rule' any more: put it back and `srs tasks retry")


def test_without_its_recording_it_needs_a_person(work, shelf):
    with writing(shelf.engine) as session:
        session.delete(session.get_one(type(shelf.row()), "a1"))
    assert work(Module())[0].last_error == "there is no recording 'a1' any more"
