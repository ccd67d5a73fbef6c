"""Tasks: noted once, taken by one worker, taken over from a dead one."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from srs.archive.database import connect, reading, writing
from srs.handoff import tasks
from srs.handoff.errors import NoTask
from srs.handoff.tables import Task
from srs.handoff.tasks import Policy, Wanted

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
LEASE = timedelta(seconds=60)
SECOND = timedelta(seconds=1)


@pytest.fixture
def engine(database_url: str):
    engine = connect(database_url)
    yield engine
    engine.dispose()


def note(engine: Engine, *wanted: Wanted) -> None:
    with writing(engine) as session:
        for each in wanted:
            tasks.add(session, each, NOON)


def a_task(recording: str = "r1", **more) -> Wanted:
    return Wanted(**{"kind": "mail", "recording": recording, "due_at": NOON, **more})


def take(engine: Engine, owner: str = "me", now: datetime = NOON, kind: str = "mail") -> Task | None:
    return tasks.claim(engine, kind, owner, now, LEASE)


def state(engine: Engine, number: int) -> tuple[str, int, str | None]:
    with reading(engine) as session:
        task = session.get_one(Task, number)
        return task.state, task.attempts, task.last_error


def test_the_same_thing_is_noted_once(engine: Engine):
    note(engine, a_task(), a_task(payload={"other": 1}), a_task(name="second rule"))
    assert [(task.key, task.payload) for task in tasks.listing(engine)] == [
        ("mail//r1", {}),
        ("mail/second rule/r1", {}),
    ]


def test_what_is_noted_goes_with_its_transaction(engine: Engine):
    def cut_off() -> None:
        with writing(engine) as session:
            tasks.add(session, a_task(), NOON)
            raise KeyError

    with pytest.raises(KeyError):
        cut_off()
    assert tasks.listing(engine) == []


def test_taken_when_due_the_oldest_first(engine: Engine):
    note(engine, a_task("later", due_at=NOON + SECOND), a_task("now"), a_task("before", due_at=NOON - SECOND))
    assert [take(engine).recording_id, take(engine).recording_id, take(engine)] == ["before", "now", None]
    assert not tasks.is_any_due(engine, "mail", NOON)
    assert take(engine, now=NOON + SECOND).recording_id == "later"
    assert take(engine, kind="delete") is None


def test_many_workers_take_each_task_once(engine: Engine):
    note(engine, *(a_task(f"r{number}") for number in range(40)))
    taken: list[int] = []

    def work(owner: str) -> None:
        while task := take(engine, owner):
            taken.append(task.id)
            assert tasks.finish(engine, task, NOON)

    threads = [threading.Thread(target=work, args=(f"worker {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted({task.id for task in tasks.listing(engine, ["done"])})
    assert len(taken) == 40


def test_the_dead_lose_their_task_when_the_lease_ends_and_say_no_more(engine: Engine):
    note(engine, a_task())
    dead = take(engine, "dead")
    assert take(engine, "heir", NOON + LEASE - SECOND) is None
    heir = take(engine, "heir", NOON + LEASE)
    assert (heir.id, heir.attempts) == (dead.id, 2)
    wrote: list[str] = []
    assert not tasks.finish(engine, dead, NOON, lambda _: wrote.append("dead"))
    assert not tasks.give_up(engine, dead, "too late", NOON)
    assert state(engine, heir.id) == ("running", 2, None)
    assert tasks.finish(engine, heir, NOON, lambda _: wrote.append("heir"))
    assert wrote == ["heir"]
    assert state(engine, heir.id) == ("done", 2, None)


def test_a_lease_is_kept_by_its_owner_only(engine: Engine):
    note(engine, a_task())
    task = take(engine, "me")
    tasks.renew(engine, [task.id], "another", NOON + 9 * LEASE)
    tasks.renew(engine, [task.id], "me", NOON + 2 * LEASE)
    assert take(engine, "heir", NOON + LEASE) is None
    assert take(engine, "heir", NOON + 2 * LEASE) is not None


def test_a_clock_that_is_set_back_does_nothing_early_and_nothing_twice(engine: Engine):
    note(engine, a_task(), a_task("r2", due_at=NOON + 30 * SECOND))
    before = NOON - timedelta(hours=1)
    mine = take(engine)
    assert take(engine, "other", before) is None
    tasks.renew(engine, [mine.id], "me", before + LEASE)
    assert tasks.finish(engine, mine, before)
    assert take(engine, "other", before + LEASE) is None
    assert take(engine, "other", NOON + 30 * SECOND).recording_id == "r2"


def test_waiting_is_no_attempt_and_failing_is(engine: Engine):
    note(engine, a_task())
    assert tasks.put_off(engine, take(engine), "legal hold", NOON + SECOND)
    assert take(engine) is None
    again = take(engine, now=NOON + SECOND)
    assert again.attempts == 1
    assert again.last_error == "legal hold"
    assert tasks.try_again(engine, again, "451 later", NOON)
    last = take(engine)
    assert last.attempts == 2
    assert tasks.give_up(engine, last, "550 no such user", NOON)
    assert state(engine, last.id) == ("failed", 2, "550 no such user")
    assert take(engine) is None


def test_what_failed_to_be_written_with_the_end_undoes_the_end(engine: Engine):
    note(engine, a_task())
    task = take(engine)

    def fail(_: object) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        tasks.finish(engine, task, NOON, fail)
    assert state(engine, task.id)[0] == "running"


@pytest.mark.parametrize(("end", "goes_on"), [("finish", True), ("give_up", True), ("blocks", False), ("none", False)])
def test_what_comes_later_waits(engine: Engine, end: str, goes_on: bool):
    note(engine, a_task(blocks=end == "blocks"), a_task(kind="copy", position=1), a_task("r2", kind="copy", position=1))
    first = take(engine)
    assert take(engine, kind="copy").recording_id == "r2"
    assert take(engine, kind="copy") is None
    if end == "finish":
        tasks.finish(engine, first, NOON)
    elif end != "none":
        tasks.give_up(engine, first, "no", NOON)
    assert (take(engine, kind="copy") is not None) is goes_on


def test_by_hand(engine: Engine):
    note(engine, a_task(), a_task("r2", due_at=NOON + SECOND))
    number = take(engine).id
    for forbidden in (tasks.retry, tasks.cancel):
        with pytest.raises(NoTask, match=f"task {number} is running"):
            forbidden(engine, number, NOON)
    tasks.give_up(engine, tasks.listing(engine, ["running"])[0], "no", NOON)
    tasks.retry(engine, number, NOON)
    assert state(engine, number) == ("due", 0, None)
    tasks.cancel(engine, number, NOON)
    assert tasks.counts(engine) == {"due": 1, "running": 0, "done": 0, "failed": 0, "cancelled": 1}
    with pytest.raises(NoTask, match="no task 99"):
        tasks.cancel(engine, 99, NOON)


def test_pauses_double_to_an_hour_and_end_after_days():
    policy = Policy()
    assert [policy.pause(n, 0).total_seconds() for n in (1, 2, 3, 8, 1000)] == [30, 60, 120, 3600, 3600]
    assert policy.pause(2, 1).total_seconds() == 30
    shortest = sum((policy.pause(n, 1) for n in range(1, policy.attempts)), timedelta())
    assert timedelta(days=1.5) < shortest < timedelta(days=5)
