"""A store that takes the right to use it away in mid-work, and gives it back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.s3 import denying

from srs.archive.errors import StoreError
from srs.archive.keep import Archive, keep
from srs.archive.store import Store, open_store
from tests.handoff.conftest import entry, tones, wav, work
from tests.handoff.test_delete import turn

REASON = r"audio store s3://recordings/denied: .*403"


@pytest.fixture
def bucket(s3_environment: dict[str, str]) -> Store:
    return open_store("s3://recordings/denied")


def test_what_is_not_kept_stays_a_capture(archive: Archive, ended: Callable[..., Path], bucket: Store, s3_environment):
    archive = replace(archive, store=bucket)
    capture = ended()
    with denying(s3_environment), pytest.raises(StoreError, match=REASON):
        keep(archive, capture)
    assert capture.exists()
    (row,) = keep(archive, capture)
    assert row.state == "ready"
    assert bucket.size(row.file) == row.bytes
    assert not capture.exists()


def test_what_is_not_copied_is_tried_again_and_nothing_is_deleted(shelf, tmp_path: Path, bucket: Store, s3_environment):
    shelf.store = bucket
    copied = entry("copy", options={"url": (tmp_path / "copies").as_uri()})
    sections = {"handoff": [copied], "retention": {"keep_days": 0}}
    row = shelf.record(shelf.settings(**sections))
    with denying(s3_environment):
        task = work(shelf, copied)
        assert (task.state, task.attempts) == ("due", 1)
        assert "audio store s3://recordings/denied" in task.last_error
        assert "403" in task.last_error
        assert list((tmp_path / "copies").rglob("*.wav*")) == []
    shelf.clock.on(minutes=1)
    assert work(shelf, copied).state == "done"
    (copy,) = (tmp_path / "copies").rglob("*.wav")
    assert copy.read_bytes() == wav(tones()).getvalue()
    with denying(s3_environment):
        shelf.clock.on(minutes=5)
        assert turn(shelf, **sections)
    assert (shelf.row().state, shelf.receipts()) == ("ready", [])
    assert "403" in shelf.tasks()["delete"].last_error
    assert bucket.size(row.file)
    shelf.clock.time = shelf.tasks()["delete"].due_at + timedelta(seconds=1)
    assert turn(shelf, **sections)
    assert (shelf.row().state, bucket.size(row.file), len(shelf.receipts())) == ("deleted", None, 1)
