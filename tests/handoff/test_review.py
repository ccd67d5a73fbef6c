"""Changed settings: looked at first, then put in force."""

from datetime import timedelta

from srs.archive.catalogue import hold
from srs.archive.database import writing
from srs.handoff import review, tasks
from srs.handoff.delete import delete_when_handed_over
from srs.handoff.review import Counts

MONTH, WEEK = {"keep_days": 30}, {"keep_days": 7}


def settings(shelf, **retention):
    return shelf.settings(retention=retention)


def dues(shelf) -> dict[str, float | None]:
    """Days from now that each recording is deleted in, by recording."""
    found = tasks.listing(shelf.engine)
    return {task.recording_id: (task.due_at - shelf.clock()) / timedelta(days=1) for task in found}


def test_a_preview_counts_and_changes_nothing_then_it_is_put_in_force(shelf):
    before = settings(shelf, **MONTH)
    for recording in ("a1", "b2", "c3"):
        shelf.record(before, recording, peer="SBC" if recording == "c3" else None)
    shelf.clock.on(days=10)
    rule = {"name": "sbc", "match": {"peer": ["SBC"]}}
    after = settings(shelf, **WEEK, rule=[rule])
    found = review.preview(shelf.engine, after, shelf.clock())
    assert found.in_force == Counts(now=0, week=0, later=3, never=0)
    assert found.by_settings == Counts(now=2, week=2, later=0, never=1)
    assert (found.sooner, found.later, found.held) == (2, 1, 0)
    assert dues(shelf) == {"a1": 20, "b2": 20, "c3": 20}
    assert review.apply(shelf.engine, after, shelf.clock()) == 3
    assert dues(shelf) == {"a1": -3, "b2": -3}
    assert review.apply(shelf.engine, after, shelf.clock()) == 0
    assert review.apply(shelf.engine, before, shelf.clock()) == 3
    assert dues(shelf) == {"a1": 20, "b2": 20, "c3": 20}


def test_a_hold_is_made_longer_never_shorter(shelf):
    shelf.record(settings(shelf, **MONTH))
    hold(shelf.engine, "a1", held=True)
    assert review.apply(shelf.engine, settings(shelf, **WEEK), shelf.clock()) == 0
    assert dues(shelf) == {"a1": 30}
    assert review.apply(shelf.engine, settings(shelf, keep_days=60), shelf.clock()) == 1
    assert dues(shelf) == {"a1": 60}
    assert review.preview(shelf.engine, settings(shelf, **WEEK), shelf.clock()).held == 1


def test_what_was_handed_over_and_what_a_person_decided_stay(shelf):
    before = settings(shelf, **MONTH)
    shelf.record(before, "a1")
    shelf.record(before, "b2")
    with writing(shelf.engine) as session:
        delete_when_handed_over(session, "a1", "mail boss", shelf.clock() + timedelta(days=1), shelf.clock())
    [second] = [task for task in tasks.listing(shelf.engine) if task.recording_id == "b2"]
    tasks.cancel(shelf.engine, second.id, shelf.clock())
    assert review.apply(shelf.engine, settings(shelf, **WEEK), shelf.clock()) == 0
    assert dues(shelf) == {"a1": 1, "b2": 30}


def test_more_than_a_batch(shelf, monkeypatch):
    monkeypatch.setattr(review, "BATCH", 2)
    for number in range(5):
        shelf.record(settings(shelf, **MONTH), f"r{number}", seconds=0.02)
    assert review.preview(shelf.engine, settings(shelf, **WEEK), shelf.clock()).sooner == 5
    assert review.apply(shelf.engine, settings(shelf, **WEEK), shelf.clock()) == 5
