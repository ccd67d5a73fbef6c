"""Calls that another system lists, beside recordings."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from srs.archive.cdr import Cdr
from srs.archive.database import connect, reading, writing
from srs.archive.reconcile import Recorded, compare, note, recordings
from srs.archive.tables import Identifier, Leg, Notice, Reconciliation, Recording
from srs.config.reconcile import ReconcileSettings

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SETTINGS = ReconcileSettings(tolerance_s=10, short_s=5)


def cdr(at: float = 0, seconds: float = 60, caller: str = "201", callee: str = "0201234567", name: str | None = None):
    return Cdr(2, NOON + timedelta(seconds=at), seconds, caller, callee, name)


def recorded(
    id_: str = "a", at: float = 0, seconds: float = 60, parties=("201", "+31201234567"), names=(), state: str = "ready"
):
    return Recorded(id_, state, NOON + timedelta(seconds=at), seconds, frozenset(parties), frozenset(names))


@pytest.mark.parametrize(
    ("call", "there", "verdict"),
    [
        (cdr(), [recorded()], "recorded"),
        (cdr(), [], "missing"),
        (cdr(at=9), [recorded()], "recorded"),
        (cdr(at=11), [recorded()], "missing"),
        (cdr(), [recorded(seconds=56)], "recorded"),
        (cdr(), [recorded(seconds=54)], "short"),
        (cdr(), [recorded(), recorded("b", at=1)], "double"),
        (cdr(), [recorded(state="failed", seconds=0)], "failed"),
        (cdr(), [recorded(state="deleted")], "recorded"),
        (cdr(), [recorded(parties=("202", "0201234567"))], "missing"),
        (cdr(), [recorded(parties=("1201", "0201234567"))], "missing"),
        (cdr(callee=""), [recorded()], "recorded"),
        (cdr(caller="", callee=""), [recorded()], "missing"),
        (cdr(name="x", at=3600), [recorded(names=["x"], parties=())], "recorded"),
        (cdr(name="y"), [recorded(names=["x"])], "recorded"),
    ],
)
def test_verdicts(call: Cdr, there: list[Recorded], verdict: str) -> None:
    assert [each.verdict for each in compare([call], there, SETTINGS)] == [verdict]


def test_one_recording_stands_for_one_call() -> None:
    found = compare([cdr(), cdr(at=2)], [recorded()], SETTINGS)
    assert [(each.verdict, each.recordings) for each in found] == [("recorded", ("a",)), ("missing", ())]


def test_what_was_recorded_without_notice_is_not_right() -> None:
    (found,) = compare([cdr()], [replace(recorded(seconds=20), untold=True)], SETTINGS)
    assert (found.verdict, found.without_notice, found.is_right) == ("short", True, False)
    (found,) = compare([cdr()], [replace(recorded(), untold=True)], SETTINGS)
    assert (found.verdict, found.is_right) == ("recorded", False)
    assert compare([cdr()], [recorded()], SETTINGS)[0].is_right


def test_how_much_is_missing_is_told() -> None:
    (found,) = compare([cdr()], [recorded(seconds=20)], SETTINGS)
    assert (found.verdict, found.lacks_s) == ("short", 40.0)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    with writing(engine) as session:
        for number, at in enumerate((-20, -5, 65, 75)):
            moment = NOON + timedelta(seconds=at)
            session.add(
                Recording(
                    id=f"r{number}",
                    state="ready",
                    call_id=f"c{number}",
                    started_at=moment,
                    ended_at=moment,
                    created_at=moment,
                    duration_s=5,
                    legs=[Leg(channel=0, aor="sip:201@pbx"), Leg(channel=1, aor="tel:+31-20-1234567")],
                )
            )
        session.add(Notice(recording_id="r1", place=0, state="heard"))
        session.add(Notice(recording_id="r1", place=1, state="missing"))
        session.add(Notice(recording_id="r2", place=0, state="unchecked"))
        session.add(Identifier(recording_id="r1", kind="ucid", value="u"))
    yield engine
    engine.dispose()


def test_recordings_of_the_time_of_the_list(engine: Engine) -> None:
    found = recordings(engine, [cdr(), cdr(at=60)], SETTINGS)
    assert {each.id for each in found} == {"r1", "r2"}
    (first,) = [each for each in found if each.id == "r1"]
    assert first.parties == {"201", "+31201234567"}
    assert first.identifiers == {"c1", "u"}
    assert {each.id: each.untold for each in found} == {"r1": True, "r2": False}
    assert recordings(engine, [], SETTINGS) == []


def test_the_result_is_kept(engine: Engine) -> None:
    found = compare([cdr(), cdr(at=100), cdr(at=200)], [replace(recorded(seconds=20), untold=True)], SETTINGS)
    note(engine, "calls.csv", found, NOON)
    with reading(engine) as session:
        (row,) = session.exec(select(Reconciliation))
    assert (row.source, row.calls, row.missing, row.short, row.double) == ("calls.csv", 3, 2, 1, 0)
    assert row.without_notice == 1
    assert (row.since, row.until) == (NOON, NOON + timedelta(seconds=200))
