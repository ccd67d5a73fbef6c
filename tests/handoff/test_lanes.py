"""The threads that do tasks, of two workers on one archive."""

import threading
import time

from support.recorder import until

from srs.alarms import Alarms
from srs.archive.database import writing
from srs.handoff import tasks
from srs.handoff.errors import NeedsPerson
from srs.handoff.lanes import Lanes
from srs.handoff.module import utc_now
from srs.handoff.tasks import Wanted


class Slow:
    """Takes several leases' time, as with a store or a server that is slow; and remembers its jobs."""

    def __init__(self) -> None:
        self.jobs: list[str] = []

    def run(self, job) -> None:
        self.jobs.append(threading.current_thread().name)
        time.sleep(3.0)


class Hopeless:
    def run(self, job) -> None:
        raise NeedsPerson("no way")


def note(shelf, kind: str) -> None:
    with writing(shelf.engine) as session:
        tasks.add(session, Wanted(kind, "a1", utc_now(), "one"), utc_now())


def test_what_takes_longer_than_its_lease_is_done_once(shelf):
    shelf.clock = utc_now
    shelf.record(shelf.settings(), purpose="one without a period")
    note(shelf, "slow")
    slow, context = Slow(), shelf.context(tasks={"lease_s": 1.0})
    lanes = [Lanes(context, {"slow": {"one": slow}}, Alarms()) for _ in range(2)]
    with lanes[0], lanes[1]:
        until(lambda: shelf.tasks()["slow one"].state == "done", lambda: str(shelf.tasks()))
    assert slow.jobs == ["tasks slow"]
    assert shelf.tasks()["slow one"].attempts == 1


def test_while_something_needs_a_person_the_alarm_is_raised(shelf):
    shelf.clock = utc_now
    shelf.record(shelf.settings(), purpose="one without a period")
    note(shelf, "hopeless")
    alarms = Alarms()
    with Lanes(shelf.context(tasks={"lease_s": 1.0}), {"hopeless": {"one": Hopeless()}}, alarms):
        until(lambda: alarms.active()["handoff"] == 1, lambda: str(shelf.tasks()))
        tasks.cancel(shelf.engine, shelf.tasks()["hopeless one"].id, utc_now())
        until(lambda: alarms.active()["handoff"] == 0, lambda: str(shelf.tasks()))
