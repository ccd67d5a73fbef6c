from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select
from structlog.testing import capture_logs
from support.archive import keep

from srs.archive.catalogue import hold
from srs.archive.database import reading, writing
from srs.archive.keep import Archive
from srs.archive.tables import Recording
from srs.config import Settings
from srs.handoff import tasks
from srs.handoff.prune import REASON, is_on_disk_of, prune
from srs.handoff.tables import Receipt
from srs.handoff.tasks import Wanted

NOW = datetime(2026, 11, 25, tzinfo=UTC)
IDS = ("a0000000", "b0000000", "c0000000")


@pytest.fixture
def recordings(archive: Archive, ended) -> Archive:
    """Three recordings, the first the oldest."""
    for recording in IDS:
        keep(archive, ended(recording))
    with writing(archive.engine) as session:
        for age, recording in enumerate(reversed(IDS)):
            session.get(Recording, recording).started_at = NOW - timedelta(days=1 + age)
    return archive


def states(archive: Archive) -> list[str]:
    with reading(archive.engine) as session:
        return [session.get(Recording, recording).state for recording in IDS]


def disk(archive: Archive, free: int):
    """A disk whose room grows by 100 with every recording that goes."""
    return lambda path: free + 100 * states(archive).count("deleted")


def test_the_oldest_go_until_there_is_room(recordings: Archive):
    with capture_logs() as lines:
        assert prune(recordings, Settings(data_dir=recordings.data_dir), 500, NOW, disk(recordings, 850)) == 2
    assert states(recordings) == ["deleted", "deleted", "ready"]
    assert [line["recording"] for line in lines if line["event"] == "pruned"] == list(IDS[:2])
    assert recordings.store.size("2026/11/24/a0000000.wav") is None
    with reading(recordings.engine) as session:
        receipts = session.exec(select(Receipt)).all()
    assert [(receipt.recording_id, receipt.reason) for receipt in receipts] == [(id_, REASON) for id_ in IDS[:2]]


def test_with_room_nothing_goes(recordings: Archive):
    assert prune(recordings, Settings(data_dir=recordings.data_dir), 500, NOW, disk(recordings, 1000)) == 0
    assert states(recordings) == ["ready"] * 3


def test_what_is_held_stays(recordings: Archive):
    hold(recordings.engine, IDS[0], held=True)
    assert prune(recordings, Settings(data_dir=recordings.data_dir), 500, NOW, disk(recordings, 0)) == 2
    assert states(recordings) == ["ready", "deleted", "deleted"]


def test_what_is_not_mailed_yet_and_what_a_rule_keeps_stay(recordings: Archive):
    with writing(recordings.engine) as session:
        tasks.add(session, Wanted("mail", IDS[0], NOW, "boss"), NOW)
        session.get(Recording, IDS[1]).purpose = "complaint"
    rule = {"name": "complaints", "match": {"purpose": ["complaint"]}, "prune": False}
    assert (
        prune(
            recordings,
            Settings(data_dir=recordings.data_dir, retention={"rule": [rule]}),
            500,
            NOW,
            disk(recordings, 0),
        )
        == 1
    )
    assert states(recordings) == ["ready", "ready", "deleted"]
    tasks.cancel(recordings.engine, 1, NOW)
    assert prune(recordings, Settings(data_dir=recordings.data_dir), 500, NOW, disk(recordings, 0)) == 2


def test_a_disk_that_gives_no_room_costs_one_recording(recordings: Archive):
    assert prune(recordings, Settings(data_dir=recordings.data_dir), 500, NOW, lambda path: 10) == 1


def test_which_stores_share_the_disk(tmp_path):
    folder = tmp_path / "a b"
    folder.mkdir()
    assert is_on_disk_of(tmp_path, folder.as_uri())
    assert not is_on_disk_of(tmp_path, "s3://bucket/a")
    assert not is_on_disk_of(tmp_path, (tmp_path / "gone").as_uri())
