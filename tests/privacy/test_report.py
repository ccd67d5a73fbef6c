"""The numbers of the data-protection report, and its words."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from srs.archive.database import connect, writing
from srs.archive.tables import Notice, Reconciliation, Recording
from srs.config import Settings
from srs.handoff.tables import Receipt
from srs.privacy import request
from srs.privacy.cases.tables import Case
from srs.privacy.report import Report, report
from srs.privacy.report_pages import sections, write
from srs.privacy.report_words import WORDS
from srs.privacy.request import RightsRequest

DAY = datetime(2026, 11, 1, tzinfo=UTC)
NOW = DAY + timedelta(days=40)


def row(number: int, day: float, purpose: str | None = None, states: tuple[str, ...] = (), **more: object) -> Recording:
    at = DAY + timedelta(days=day)
    notices = [Notice(place=place, state=state, from_s=0.0) for place, state in enumerate(states)]
    common = {"state": "ready", "started_at": at, "ended_at": at, "created_at": at, "duration_s": 60.0}
    return Recording(**{**common, **more}, id=f"rec{number:05}", purpose=purpose, notices=notices)


def a_case(id_: str, closed_day: float | None, outcome: str | None) -> Case:
    period = {"opened_at": DAY, "since": DAY, "until": DAY + timedelta(days=9)}
    closed_at = None if closed_day is None else DAY + timedelta(days=closed_day)
    return Case(id=id_, opened_by="ivy", public_key="", outcome=outcome, closed_at=closed_at, **period)


@pytest.fixture
def counted(tmp_path: Path) -> Report:
    engine, settings = connect(f"sqlite:///{tmp_path / 'test.sqlite'}"), Settings(data_dir=tmp_path)
    rows = [
        row(1, 0, "training", ("heard", "staff")),
        row(2, 1, "training", ("missing", "staff")),
        row(3, 1, "complaints", ("outside",)),
        row(4, 2, None, (), held=True),
        row(5, 29.9, None, ("unchecked",)),
        row(6, 5, None, (), state="deleted", reason="not kept: a party is on the do-not-record list"),
        row(7, -1, "training", ("missing",)),
        row(8, 30, "training", ("missing",)),
        row(9, -100, "training"),
    ]
    with writing(engine) as session:
        session.add_all(rows)
        for day, reason in ((3, "retention: purpose training"), (4, "retention: default"), (31, "by hand: srs delete")):
            session.add(Receipt(recording_id="x", at=DAY + timedelta(days=day), reason=reason, by="me", copies=[]))
        for day, missing in ((3, 2), (4, 1), (31, 9)):
            begun = DAY + timedelta(days=day)
            of_list = {"since": begun, "until": begun, "calls": 40, "missing": missing, "short": 0, "double": 0}
            session.add(Reconciliation(at=begun, source="calls.csv", **of_list))
        for day, outcome in ((3, "offence"), (4, "no offence"), (31, "offence"), (None, None)):
            session.add(a_case(f"{outcome}{day}", day, outcome))
    asked = RightsRequest(at=DAY + timedelta(days=2), kind="access", person="201", by="cli:me", recordings={})
    request.note(engine, asked, "cli")
    found = report(engine, settings, DAY, DAY + timedelta(days=30), NOW)
    engine.dispose()
    return found


def test_it_counts_what_began_in_the_period(counted: Report):
    assert counted.purposes == {"training": 2, "complaints": 1, "": 2}
    assert (counted.calls, counted.not_kept) == (5, 1)
    assert counted.days == {DAY.date(): 1, (DAY + timedelta(days=1)).date(): 2} | {
        (DAY + timedelta(days=day)).date(): 1 for day in (2, 29)
    }
    assert (counted.told, counted.untold) == (2, 1)
    assert counted.cases == {"offence": 1, "no offence": 1}
    assert counted.notices == {"heard": 1, "missing": 1, "staff": 2, "outside": 1, "unchecked": 1}
    assert counted.deletions == {"retention": 2}
    assert counted.requests == {"access": 1}
    assert (counted.missing, counted.listed) == (3, 80)
    assert ("Calls on the exchange's lists without recording", "3 / 80") in sections(counted, "en")["Summary"]


def test_it_tells_what_is_kept_too_long(counted: Report):
    assert counted.kept == {"training": 5, "complaints": 1, "": 2}
    assert (counted.held, counted.overdue) == (1, 1)  # rec00009; the held one and those within 30 days are not


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_language_has_every_word(counted: Report, language):
    assert all(set(words) == {"nl", "en"} and all(words.values()) for words in WORDS.values())
    assert len(sections(counted, language)) == 7


@pytest.mark.parametrize("name", ["report.pdf", "report.html"])
@pytest.mark.parametrize("language", ["nl", "en"])
def test_it_is_written(counted: Report, tmp_path: Path, language, name: str):
    write(counted, language, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(b"%PDF" if name.endswith("pdf") else b"<!doctype html>")


def test_another_kind_of_file_is_refused(counted: Report, tmp_path: Path):
    with pytest.raises(ValueError, match=r"\.pdf or \.html"):
        write(counted, "nl", tmp_path / "report.docx")
