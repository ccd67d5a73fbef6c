"""Recordings deleted at the end of their period, with receipts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from srs.archive import identity
from srs.archive.catalogue import hold
from srs.archive.database import writing
from srs.archive.errors import DatabaseError, Held, StoreError
from srs.archive.search import Search, search
from srs.archive.tables import Identifier, Notice
from srs.handoff import tasks
from srs.handoff.delete import LAST, Delete, delete, delete_when_handed_over
from srs.handoff.run import Bench
from srs.handoff.tables import Delivery
from srs.handoff.tasks import Wanted

MONTH = {"retention": {"keep_days": 30}}


def turn(shelf, **sections) -> bool:
    """The lane's work: one task, if one is due."""
    bench = Bench(shelf.context(**sections), "delete", {"": Delete()}, "me", timedelta(minutes=1))
    task = bench.take()
    if task is not None:
        bench.work(task)
    return task is not None


def note(shelf, *wanted: Wanted) -> None:
    with writing(shelf.engine) as session:
        for each in wanted:
            tasks.add(session, each, shelf.clock())


def test_deleted_at_the_end_of_the_period_with_a_receipt(shelf):
    shelf.record(shelf.settings(**MONTH))
    kept = shelf.data_dir / "captures" / "kept" / "a1.pcap"
    kept.parent.mkdir(parents=True)
    kept.write_text("packets")
    shelf.clock.on(days=30, seconds=-1)
    assert not turn(shelf, **MONTH)
    shelf.clock.on(seconds=1)
    assert turn(shelf, **MONTH)
    row = shelf.row()
    assert (row.state, row.deleted_at, row.file, row.caller) == (
        "deleted",
        shelf.clock(),
        None,
        "sip:+31201234567@carrier.example",
    )
    assert (shelf.sounds(), kept.exists()) == ([], False)
    [receipt] = shelf.receipts()
    assert (receipt.recording_id, receipt.at, receipt.by) == ("a1", shelf.clock(), "recorder")
    assert receipt.reason == "retention: default"
    assert receipt.copies == [
        {"kind": "sound", "where": str(shelf.data_dir / "audio/2026/11/27/a1.wav"), "became": "deleted"},
        {"kind": "capture", "where": str(kept), "became": "deleted"},
    ]
    assert shelf.tasks()["delete"].state == "done"


def test_the_audit_is_told_before_and_without_it_nothing_is_deleted(shelf):
    shelf.record(shelf.settings(**MONTH))
    shelf.clock.on(days=31)
    told = []

    def witness(*what) -> None:
        told.append((*what, shelf.sounds()))
        if len(told) == 1:
            raise DatabaseError("locked")

    bench = Bench(
        replace(shelf.context(**MONTH), witness=witness), "delete", {"": Delete()}, "me", timedelta(minutes=1)
    )
    bench.work(bench.take())
    assert (shelf.tasks()["delete"].state, shelf.sounds()) == ("due", ["a1.wav"])
    shelf.clock.on(hours=1)
    bench.work(bench.take())
    assert told == [("delete", "recording:a1", {"why": "retention: default"}, ["a1.wav"])] * 2
    assert shelf.sounds() == []


def test_without_a_period_nothing_is_deleted(shelf):
    shelf.record(shelf.settings(), purpose="one without a period")
    assert shelf.tasks() == {}


def test_only_its_times_stay_if_facts_are_not_kept(shelf):
    sections = {"retention": {"keep_days": 0, "keep_facts": False}}
    told = {"facts": {"capture": "b2", "end_reason": "BYE"}, "tags": ["vip"], "note": "angry"}
    of_parties = {
        "notices": [Notice(place=0, party="sip:201@pbx.example", state="heard")],
        "identifiers": [Identifier(kind="agent", value="john")],
    }
    shelf.record(shelf.settings(**sections), **told, **of_parties)
    assert turn(shelf, **sections)
    row = shelf.row()
    assert (row.note, row.notices, identity.of(shelf.engine, "a1")) == (None, [], [])
    assert search(shelf.engine, Search("201")).rows == []
    assert (row.caller, row.callee, row.call_id, row.legs, row.tags) == (None, None, None, [], [])
    assert row.facts == {"capture": "b2"}
    assert row.duration_s == 1.0


def test_a_hold_is_waited_for_and_that_is_said(shelf):
    shelf.record(shelf.settings(**MONTH))
    hold(shelf.engine, "a1", held=True)
    shelf.clock.on(days=31)
    for _ in range(3):
        assert turn(shelf, **MONTH)
        shelf.clock.on(minutes=5)
    task = shelf.tasks()["delete"]
    assert (task.state, task.last_error, task.attempts, shelf.sounds()) == ("due", "legal hold", 0, ["a1.wav"])
    hold(shelf.engine, "a1", held=False)
    assert turn(shelf, **MONTH)
    assert shelf.sounds() == []


def test_what_is_still_to_be_done_comes_first(shelf):
    shelf.record(shelf.settings(**MONTH))
    note(shelf, Wanted("copy", "a1", shelf.clock(), payload={"where": "sftp://archive/a1.wav"}))
    shelf.clock.on(days=31)
    assert not turn(shelf, **MONTH)
    tasks.finish(shelf.engine, tasks.claim(shelf.engine, "copy", "me", shelf.clock(), timedelta(1)), shelf.clock())
    assert turn(shelf, **MONTH)
    assert {"kind": "copy", "where": "sftp://archive/a1.wav", "became": "to be deleted"} in shelf.receipts()[0].copies


def test_what_failed_keeps_a_recording_to_its_period_but_not_longer(shelf):
    """Handed over to one, it is not deleted while another has not got it; the period is the period."""
    shelf.record(shelf.settings(**MONTH))
    note(shelf, Wanted("mail", "a1", shelf.clock(), "boss"))
    failed = tasks.claim(shelf.engine, "mail", "me", shelf.clock(), timedelta(1))
    tasks.give_up(shelf.engine, failed, "550", shelf.clock())
    with writing(shelf.engine) as session:
        delete_when_handed_over(session, "a1", "mail archive", shelf.clock(), shelf.clock())
    assert turn(shelf, **MONTH)
    waiting = shelf.tasks()["delete"]
    assert (waiting.state, shelf.sounds()) == ("due", ["a1.wav"])
    assert waiting.last_error == f"waits for mail boss (task {failed.id}), which needs a person"
    tasks.cancel(shelf.engine, failed.id, shelf.clock())
    shelf.clock.on(minutes=5)
    assert turn(shelf, **MONTH)
    assert shelf.sounds() == []


def test_the_end_of_the_period_does_not_wait_for_what_failed(shelf):
    shelf.record(shelf.settings(**MONTH))
    note(shelf, Wanted("mail", "a1", shelf.clock(), "boss"))
    tasks.give_up(
        shelf.engine, tasks.claim(shelf.engine, "mail", "me", shelf.clock(), timedelta(1)), "550", shelf.clock()
    )
    shelf.clock.on(days=30)
    assert turn(shelf, **MONTH)
    assert shelf.sounds() == []
    mail = shelf.tasks()["mail boss"]
    assert (mail.state, mail.last_error) == ("cancelled", "the recording was deleted")


def test_handed_over_it_is_deleted_sooner_never_later(shelf):
    shelf.record(shelf.settings(retention={"keep_days": 1}))
    for days, due in ((2, 1), (0.5, 0.5)):
        with writing(shelf.engine) as session:
            delete_when_handed_over(session, "a1", "mail", shelf.clock() + timedelta(days=days), shelf.clock())
        task = shelf.tasks()["delete"]
        assert (task.due_at, task.position) == (shelf.clock() + timedelta(days=due), LAST)


def test_a_capture_that_is_being_put_away_is_waited_for(shelf):
    """Else it would be put aside behind the deletion's back."""
    shelf.record(shelf.settings(retention={"keep_days": 0}))
    capture = shelf.data_dir / "captures" / "ended" / "a1.pcap"
    capture.parent.mkdir(parents=True)
    capture.write_text("packets")
    assert turn(shelf)
    assert shelf.row().state == "ready"
    capture.unlink()
    shelf.clock.on(seconds=1)
    assert turn(shelf)
    assert shelf.row().state == "deleted"


def test_a_store_that_is_away_leaves_all_as_it_was(shelf, monkeypatch: pytest.MonkeyPatch):
    def away(*_: object) -> None:
        raise StoreError("away")

    shelf.record(shelf.settings(retention={"keep_days": 0}))
    with monkeypatch.context() as patch:
        patch.setattr(type(shelf.store), "delete", away)
        assert turn(shelf)
    task = shelf.tasks()["delete"]
    assert (task.state, task.last_error, shelf.row().state, shelf.receipts()) == ("due", "away", "ready", [])
    shelf.clock.on(minutes=1)
    assert turn(shelf)
    assert shelf.row().state == "deleted"


def test_by_hand_twice_there_is_one_receipt_that_names_mails(shelf):
    settings = shelf.settings()
    shelf.record(settings)
    told = {"message_id": "<1@x>", "code": 250, "reply": "OK", "server": "mx", "at": shelf.clock()}
    with writing(shelf.engine) as session:
        session.add(Delivery(recording_id="a1", rule="boss", recipient="a@example.com", accepted=True, **told))
        session.add(Delivery(recording_id="a1", rule="boss", recipient="b@example.com", accepted=False, **told))
    for _ in range(2):
        delete(shelf.engine, shelf.store, settings, "a1", shelf.clock(), "asked by the caller", "anna")
    [receipt] = shelf.receipts()
    assert (receipt.by, receipt.reason) == ("anna", "asked by the caller")
    assert [copy["where"] for copy in receipt.copies if copy["kind"] == "mail"] == ["a@example.com"]


def test_nobody_deletes_what_is_held(shelf):
    shelf.record(shelf.settings())
    hold(shelf.engine, "a1", held=True)
    with pytest.raises(Held):
        delete(shelf.engine, shelf.store, shelf.settings(), "a1", shelf.clock(), "", "anna")
    assert (shelf.receipts(), shelf.sounds()) == ([], ["a1.wav"])
