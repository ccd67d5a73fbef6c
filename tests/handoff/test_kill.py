"""Workers killed while they mail and delete: every recording is mailed once and deleted after that, whatever dies."""

import json
import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import select
from support.smtp import Server, server

from srs.archive.database import reading
from srs.archive.tables import Recording
from srs.config import load
from srs.handoff import tasks
from srs.handoff.tables import Delivery, Receipt

RECIPIENTS = ["a@example.com", "b@example.com"]


class Workers:
    """Handoff processes on one archive, each started again when it is killed."""

    def __init__(self, folders: list[Path], environment: dict[str, str], log: Path, chance: random.Random) -> None:
        self._folders, self._environment, self._log, self._chance = folders, environment, log, chance
        self._running = [self._start(place) for place in range(len(folders))]

    def _start(self, place: int) -> subprocess.Popen[bytes]:
        folder = self._folders[place]
        command = [sys.executable, "-m", "srs.assembly", "--data", str(folder)]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, env={**self._environment, "SRS_NODE__ID": folder.name}, stderr=log)

    def kill_one(self) -> None:
        victim = self._chance.randrange(len(self._running))
        self._running[victim].kill()
        self._running[victim].wait()
        self._running[victim] = self._start(victim)

    def stop(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()

    @property
    def log(self) -> str:
        return self._log.read_text()


@pytest.fixture
def environment(smtp: Server, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The settings of all workers: mailed to two, then deleted; leases that end soon."""
    rule = {"name": "all", "to": RECIPIENTS, "format": "wav", "delete_after": True}
    told = {
        "SRS_TASKS__LEASE_S": "3",
        "SRS_MAIL__SENDER": "recorder@example.org",
        "SRS_MAIL__PER_MINUTE": "60000",
        "SRS_MAIL__SERVER": json.dumps([{"host": "127.0.0.1", "port": smtp.port, "tls": "none"}]),
        "SRS_MAIL__RULE": json.dumps([rule]),
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    return {**os.environ, **told}


@pytest.fixture
def smtp(tmp_path: Path):
    with server(tmp_path / "smtp") as running:
        yield running


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("recordings", "kills", "kind"),
    [
        pytest.param(6, 2, "workers", id="short"),
        pytest.param(200, 40, "workers", id="long-workers", marks=pytest.mark.slow),
        pytest.param(200, 40, "nodes", id="long-nodes", marks=pytest.mark.slow),
    ],
)
def test_nothing_is_lost_doubled_or_deleted_early(
    shelf_on, request, environment, smtp: Server, recordings: int, kills: int, kind: str
):
    """Workers of one recorder on SQLite; three nodes with data folders of their own on PostgreSQL and one store."""
    if kind == "nodes":
        environment["SRS_DATABASE__URL"] = request.getfixturevalue("postgres_server").database()
    shelf = shelf_on(environment.get("SRS_DATABASE__URL"))
    environment["SRS_STORE__URL"] = shelf.store.url
    folders = [shelf.data_dir] * 3 if kind == "workers" else _folders(shelf.data_dir.parent)
    shelf.clock.time = datetime.now(UTC)  # that of the workers
    settings = load(data_dir=shelf.data_dir)
    names = [f"r{number:04}" for number in range(recordings)]
    for name in names:
        shelf.record(settings, name, seconds=0.5)
    chance = random.Random(7)
    killed_at = sorted(chance.sample(range(recordings), kills))
    crew = Workers(folders, environment, shelf.data_dir.parent / "workers.log", chance)
    try:
        deadline = time.monotonic() + 60 + 4 * recordings
        while tasks.counts(shelf.engine)["done"] < 2 * recordings:
            assert time.monotonic() < deadline, f"{tasks.counts(shelf.engine)}\n{crew.log}"
            while killed_at and len(smtp.mails()) > killed_at[0]:
                killed_at.pop(0)
                crew.kill_one()
            time.sleep(0.02)
    finally:
        crew.stop()
    assert killed_at == []
    check(shelf, smtp, names)


def _folders(parent: Path) -> list[Path]:
    """Of three nodes."""
    folders = [parent / f"node{number}" for number in range(3)]
    for folder in folders:
        folder.mkdir()
    return folders


def check(shelf, smtp: Server, names: list[str]) -> None:
    """What the mail server, the tables and the store say agrees."""
    arrived: dict[str, float] = {}
    for path in smtp.folder.glob("*.eml"):
        head = path.read_bytes().partition(b"Message-ID: ")[2].partition(b"\r\n")[0].decode()
        arrived[head] = min(path.stat().st_mtime, arrived.get(head, float("inf")))
    with reading(shelf.engine) as session:
        rows = session.exec(select(Recording)).all()
        receipts = session.exec(select(Receipt)).all()
        deliveries = session.exec(select(Delivery)).all()
    ids = {each.recording_id: each.message_id for each in deliveries}
    assert len(arrived) == len(names)
    assert sorted(arrived) == sorted(ids.values())
    assert sorted((each.recording_id, each.recipient) for each in deliveries if each.accepted) == [
        (name, to) for name in names for to in RECIPIENTS
    ]
    assert sorted(receipt.recording_id for receipt in receipts) == names
    assert {row.state for row in rows} == {"deleted"}
    for receipt in receipts:
        assert arrived[ids[receipt.recording_id]] <= receipt.at.timestamp()
        assert [copy["where"] for copy in receipt.copies if copy["kind"] == "mail"] == RECIPIENTS
    assert shelf.sounds() == []


def test_the_check_sees_an_early_deletion(shelf_on, smtp: Server):
    """The check itself: a deletion without a mail does not pass it."""
    shelf = shelf_on(None)
    shelf.record(shelf.settings(), "r0000")
    with pytest.raises(AssertionError):
        check(shelf, smtp, ["r0000"])
