"""Copies elsewhere: made, named in the receipt, and taken away when their recording is deleted."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from support import sftp

from srs.archive.database import writing
from srs.archive.store import open_store
from srs.handoff import copies, tasks
from srs.handoff.copies import Cause
from srs.handoff.delete import delete

from .conftest import entry, record, while_under_way, work

REMOVAL = "copy-removal"


def gone(shelf, *entries: dict, cause: Cause = Cause.WANTED, **sections) -> None:
    """The recording is deleted."""
    settings = shelf.settings(handoff=list(entries), **sections)
    delete(shelf.engine, shelf.store, settings, "a1", shelf.clock(), "test", "me", cause)


def became(shelf) -> list[str]:
    """What the receipt says of the copies."""
    [receipt] = shelf.receipts()
    return [each["became"] for each in receipt.copies if each["kind"] == "copy"]


# Copy


def copied(store, name: str) -> bytes:
    with store.open(name) as file:
        return bytes(file.read())


def test_a_copy_in_a_folder_goes_when_its_recording_does(shelf, tmp_path: Path):
    url = (tmp_path / "copies").as_uri()
    one = entry("copy", options={"url": url})
    row = record(shelf, one)
    assert work(shelf, one).state == "done"
    copy = tmp_path / "copies" / f"{row.started_at:%Y/%m/%d}" / "a1.wav"
    assert copy.read_bytes() == (shelf.data_dir / "audio" / row.file).read_bytes()
    assert json.loads(copy.with_suffix(".json").read_text())["caller"] == row.caller
    gone(shelf, one)
    where = f"{url}/{row.started_at:%Y/%m/%d}/a1.wav"
    assert {"kind": "copy", "where": where, "became": "to be deleted"} in shelf.receipts()[0].copies
    assert copy.exists()
    assert work(shelf, one, kind=REMOVAL).state == "done"
    assert list(copy.parent.iterdir()) == []
    assert became(shelf) == ["deleted"]


def test_a_copy_in_an_object_store(shelf, s3_environment):
    one = entry("copy", options={"url": "s3://recordings/copies"})
    row = record(shelf, one)
    assert work(shelf, one).state == "done"
    store, name = open_store("s3://recordings/copies"), f"{row.started_at:%Y/%m/%d}/a1"
    assert copied(store, f"{name}.wav") == (shelf.data_dir / "audio" / row.file).read_bytes()
    gone(shelf, one)
    assert store.size(f"{name}.json")
    assert work(shelf, one, kind=REMOVAL).state == "done"
    assert (store.size(f"{name}.wav"), store.size(f"{name}.json")) == (None, None)
    assert became(shelf) == ["deleted"]


def test_a_copy_by_sftp_only_to_a_server_that_is_known(shelf, tmp_path: Path):
    there, known = tmp_path / "there", tmp_path / "known_hosts"
    there.mkdir()
    with sftp.server(there) as (port, key):
        name = f"[127.0.0.1]:{port}"
        options = {"url": f"sftp://{sftp.USER}@127.0.0.1:{port}/calls", "password": sftp.PASSWORD}
        one = entry("copy", options={**options, "known_hosts": str(known)})
        row = record(shelf, one)
        known.write_text("")
        task = work(shelf, one)
        assert (task.state, list(there.iterdir())) == ("due", [])
        assert "not found in known_hosts" in task.last_error
        known.write_text(f"{name} {key.get_name()} {key.get_base64()}\n")
        wrong = entry("copy", options={**one["options"], "password": "wrong"})
        tasks.retry(shelf.engine, task.id, shelf.clock())
        assert work(shelf, wrong).state == "failed"
        tasks.retry(shelf.engine, task.id, shelf.clock())
        assert work(shelf, one).state == "done"
        folder = there / "calls" / f"{row.started_at:%Y/%m/%d}"
        assert sorted(path.name for path in folder.iterdir()) == ["a1.json", "a1.wav"]
        assert (folder / "a1.wav").read_bytes() == (shelf.data_dir / "audio" / row.file).read_bytes()
        gone(shelf, one)
        assert work(shelf, one, kind=REMOVAL).state == "done"
        assert list(folder.iterdir()) == []
    assert became(shelf) == ["deleted"]


def test_a_server_that_is_away_is_asked_again_and_the_receipt_says_so(shelf, tmp_path: Path):
    one = entry("copy", options={"url": (tmp_path / "copies").as_uri()})
    row = record(shelf, one)
    work(shelf, one)
    gone(shelf, one)
    copy = tmp_path / "copies" / f"{row.started_at:%Y/%m/%d}" / "a1.json"
    copy.unlink()
    (copy / "in the way").mkdir(parents=True)  # what cannot be deleted as a file
    task = work(shelf, one, kind=REMOVAL)
    assert task.state == "due"
    assert became(shelf) == [f"not deleted yet: {task.last_error}"]
    (copy / "in the way").rmdir()
    copy.rmdir()
    shelf.clock.time = task.due_at
    assert work(shelf, one, kind=REMOVAL).state == "done"
    assert became(shelf) == ["deleted"]


@pytest.mark.parametrize("settings", [[], [entry("copy", options={"url": "file:///elsewhere"})]])
def test_a_copy_that_no_setting_leads_to_needs_a_person(shelf, tmp_path: Path, settings: list[dict]):
    one = entry("copy", options={"url": (tmp_path / "copies").as_uri()})
    record(shelf, one)
    work(shelf, one)
    gone(shelf, one)
    task = work(shelf, *settings, kind=REMOVAL)
    assert task.state == "failed"
    assert task.last_error.startswith(f"no [[handoff]] one of the settings leads to {one['options']['url']}")
    assert became(shelf) == [f"not deleted yet: {task.last_error}"]


@pytest.mark.parametrize(
    ("cause", "keep_longer", "days", "said"),
    [
        (Cause.PERIOD, False, 0, "to be deleted"),
        (Cause.PERIOD, True, None, "left"),
        (Cause.EARLY, False, 30, "to be deleted at 2026-12-27"),
        (Cause.EARLY, True, None, "left"),
        (Cause.WANTED, False, 0, "to be deleted"),
        (Cause.WANTED, True, 0, "to be deleted"),
    ],
)
def test_when_a_copy_goes(shelf, tmp_path: Path, cause: Cause, keep_longer: bool, days: int | None, said: str):
    one = entry("copy", options={"url": (tmp_path / "copies").as_uri(), "keep_longer": keep_longer})
    record(shelf, one)
    work(shelf, one)
    gone(shelf, one, cause=cause, retention={"keep_days": 30})
    assert became(shelf) == [said]
    removal = shelf.tasks().get(f"{REMOVAL} one")
    assert (removal and removal.due_at) == (None if days is None else shelf.clock() + timedelta(days=days))


@pytest.mark.parametrize("keep_longer", [False, True])
def test_erased_by_a_person_the_copies_of_what_was_deleted_before_go_at_once(shelf, tmp_path: Path, keep_longer: bool):
    one = entry("copy", options={"url": (tmp_path / "copies").as_uri(), "keep_longer": keep_longer})
    record(shelf, one)
    work(shelf, one)
    gone(shelf, one, cause=Cause.EARLY, retention={"keep_days": 30})
    with writing(shelf.engine) as session:
        copies.remove_now(session, "a1", shelf.clock())
    assert became(shelf) == ["to be deleted"]
    assert work(shelf, one, kind=REMOVAL).state == "done"
    assert [path for path in (tmp_path / "copies").rglob("*") if path.is_file()] == []
    assert became(shelf) == ["deleted"]


def test_a_copy_that_is_made_while_its_recording_is_deleted_goes_too(shelf, tmp_path: Path):
    one = entry("copy", options={"url": (tmp_path / "copies").as_uri()})
    record(shelf, one)
    with while_under_way(shelf, one):
        gone(shelf, one)
        assert became(shelf) == ["under way"]
    assert became(shelf) == ["to be deleted"]
    assert work(shelf, one, kind=REMOVAL).state == "done"
    assert became(shelf) == ["deleted"]
