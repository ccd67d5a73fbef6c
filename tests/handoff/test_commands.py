"""`srs tasks`, `srs retention` and what `srs doctor` says of the disk, as people and scripts use them."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from support.commands import at_home, srs

from srs.archive.catalogue import hold
from srs.archive.database import writing
from srs.archive.tables import Recording
from srs.commands import doctor
from srs.handoff import tasks

__all__ = ["at_home", "srs"]

MAILED = {"mail": {"rule": [{"name": "boss", "to": ["boss@example.com"]}]}}


@pytest.fixture
def failed(shelf) -> int:
    """The number of a task that needs a person; another one is done at the end of a period, a third is done."""
    shelf.clock.time = datetime.now(UTC)
    shelf.record(shelf.settings(retention={"keep_days": 30}, **MAILED))
    task = tasks.claim(shelf.engine, "mail", "me", shelf.clock(), timedelta(1))
    tasks.give_up(shelf.engine, task, "192.0.2.1: 550 [no] such user", shelf.clock())
    shelf.record(shelf.settings(**MAILED), "b2", purpose="one without a period")
    tasks.finish(shelf.engine, tasks.claim(shelf.engine, "mail", "me", shelf.clock(), timedelta(1)), shelf.clock())
    return task.id


def test_tasks_are_listed_retried_and_cancelled(shelf, srs, failed: int):
    def run(*words: object) -> tuple[int, str, str]:
        return srs("tasks", *words, "--data", shelf.data_dir)

    status, out, _ = run()
    assert (status, len(out.strip().splitlines())) == (0, 4)  # heading, rule, mail, deletion
    assert "mail boss" in out
    assert "550 [no] such user" in out
    [line] = run("--failed", "--json")[1].splitlines()
    told = json.loads(line)
    assert {name: told[name] for name in ("id", "kind", "name", "recording_id", "state", "attempts", "payload")} == {
        "id": failed,
        "kind": "mail",
        "name": "boss",
        "recording_id": "a1",
        "state": "failed",
        "attempts": 1,
        "payload": {},
    }
    assert told["finished_at"].endswith("Z")
    assert len(run("--all", "--json")[1].splitlines()) == 3

    assert run("retry", failed) == (0, f"task {failed} is due now\n", "")
    assert run("--failed") == (0, "There are no such tasks.\n", "")
    assert run("cancel", failed) == (0, f"task {failed} is cancelled\n", "")
    assert run("cancel", failed)[0::2] == (1, f"srs: task {failed} is cancelled\n")
    assert run("retry", 99)[0::2] == (1, "srs: there is no task 99\n")


def test_a_changed_period_is_looked_at_then_put_in_force(shelf, srs, monkeypatch):
    shelf.clock.time = datetime.now(UTC) - timedelta(days=40)
    for recording in ("a1", "b2", "c3"):
        shelf.record(shelf.settings(), recording, purpose="one without a period")
    hold(shelf.engine, "c3", held=True)
    monkeypatch.setenv("SRS_RETENTION__KEEP_DAYS", "30")

    def run(*words: object) -> tuple[int, str, str]:
        return srs("retention", *words, "--data", shelf.data_dir)

    told = json.loads(run("preview", "--json")[1])
    assert told["in_force"] == {"now": 0, "week": 0, "later": 0, "never": 3}
    assert told["by_settings"] == {"now": 2, "week": 2, "later": 0, "never": 1}
    assert (told["sooner"], told["held"]) == (2, 1)
    out = run("preview")[1]
    assert [line.split()[-2:] for line in out.splitlines() if "deleted at once" in line] == [["0", "2"]]
    assert "2 sooner, 0 later than now; 1 under legal hold" in out
    assert shelf.tasks() == {}
    assert run("apply")[0] == 1  # nobody says yes
    assert shelf.tasks() == {}
    assert run("apply", "--yes") == (0, "2 recordings have another period now\n", "")
    assert json.loads(run("preview", "--json")[1])["sooner"] == 0


@pytest.mark.parametrize(("share", "level", "said"), [(1e-4, "ok", "room for"), (0.5, "note", "full in 2 days")])
def test_the_disk_is_measured_against_what_comes(shelf, monkeypatch, share: float, level: str, said: str):
    free = 100_000_000_000
    monkeypatch.setattr("srs.handoff.prune.free", lambda _: free)
    shelf.clock.time = datetime.now(UTC)
    shelf.record(shelf.settings())
    with writing(shelf.engine) as session:
        session.get_one(Recording, "a1").bytes = int(free * share)
    [finding] = doctor.check_growth(shelf.settings())
    assert (finding.level, said in finding.what) == (level, True)
    assert f"{free * share / 1e9:.2f} GB of recordings a day" in finding.what
    assert bool(finding.mend) == (level == "note")
