"""What a case records of a call, and when it does not; the call is of alice and bob, from 12:00:00.123 for 2 s."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import select
from support.archive import keep
from support.heard import samples
from support.stand_in import tone

from srs.archive.database import reading, writing
from srs.archive.errors import Sealed, StoreError
from srs.archive.tables import Recording, State
from srs.privacy.cases import journal
from srs.privacy.cases.cabinet import Cabinet
from srs.privacy.cases.closing import close
from srs.privacy.cases.destroying import destroy
from srs.privacy.cases.letters import letters
from srs.privacy.cases.recordings import sound
from srs.privacy.cases.tables import Case, CaseEntry, Outcome
from srs.privacy.cases.watch import look

from .conftest import Desk

CALL = datetime(2026, 11, 24, 12, 0, 0, 123456, UTC)
BEFORE, LATER = CALL - timedelta(days=1), CALL + timedelta(minutes=1)
WEEK = timedelta(days=7)


def heard(desk: Desk, case: Case, recording: str) -> np.ndarray:
    _, file = sound(desk.cabinet, desk.actor("ivy"), case.id, recording, LATER)
    with file:
        return samples(file)


def test_the_case_gets_every_sample_and_the_others_what_they_would_have_had(desk: Desk, ended):
    case = desk.approved(BEFORE, BEFORE + WEEK, BEFORE)
    row = keep(desk.at(LATER), ended())
    assert (row.state, row.file) == ("ready", "2026/11/24/a1b2c3d4.wav")
    (kept,) = desk.recorded(case)
    assert (kept.facts["recording"], kept.facts["duration_s"]) == (row.id, 2.0)
    assert np.array_equal(heard(desk, case, kept.row.id), np.stack([tone(440), tone(1000)], axis=1))
    assert kept.row.id not in str(row)
    assert b"alice" not in kept.row.facts


@pytest.mark.parametrize(
    ("since", "until", "approved", "first", "last"),
    [
        (CALL + timedelta(seconds=0.5), CALL + WEEK, BEFORE, 4000, 16000),
        (BEFORE, CALL + timedelta(seconds=1.25), BEFORE, 0, 10000),
        (BEFORE, CALL + WEEK, CALL + timedelta(seconds=1), 8000, 16000),
    ],
)
def test_only_the_part_in_the_period_of_the_approved_case(desk: Desk, ended, since, until, approved, first, last):
    case = desk.approved(since, until, approved)
    keep(desk.at(LATER), ended())
    (kept,) = desk.recorded(case)
    assert np.array_equal(heard(desk, case, kept.row.id)[:, 0], tone(440)[first:last])
    assert kept.facts["duration_s"] == (last - first) / 8000


@pytest.mark.parametrize(
    ("since", "until", "approved"),
    [
        (CALL + timedelta(seconds=3), CALL + WEEK, BEFORE),
        (BEFORE - WEEK, CALL - timedelta(seconds=1), BEFORE),
        (BEFORE, CALL + WEEK, CALL + timedelta(seconds=3)),
    ],
)
def test_nothing_outside_of_it(desk: Desk, ended, since, until, approved):
    case = desk.approved(since, until, approved)
    keep(desk.at(LATER), ended())
    assert desk.recorded(case) == []


def test_a_call_that_is_kept_twice_is_there_once(desk: Desk, ended):
    case = desk.approved(BEFORE, BEFORE + WEEK, BEFORE)

    def fail(*_: object) -> None:
        raise StoreError("away")

    archive = desk.at(LATER)
    broken = type(archive)(**{**vars(archive), "on_stored": (fail,)})
    with pytest.raises(StoreError):
        keep(broken, ended())
    keep(archive, ended())
    assert len(desk.recorded(case)) == 1
    with reading(desk.cabinet.engine) as session:
        actions = [entry.action for entry in journal.entries(session, case)]
    assert actions.count("record") == 1


def test_a_clock_that_is_set_back_starts_nothing_again(desk: Desk, ended):
    """The case is seen to have ended; then the clock goes back, and calls say that they are of its period."""
    case = desk.approved(BEFORE, BEFORE + WEEK, BEFORE)
    look(desk.cabinet, BEFORE + WEEK + timedelta(hours=1))
    keep(desk.at(LATER), ended())
    (kept,) = desk.recorded(case)
    assert kept.row.file is None
    assert "clock was set back" in kept.facts["reason"]
    with reading(desk.cabinet.engine) as session:
        assert journal.entries(session, case)[-1].action == "do not record"
    # A call of its period that had only waited for the database is taken.
    keep(desk.at(BEFORE + WEEK + timedelta(hours=2)), ended("bbbb1111"))
    assert [each.row.file is None for each in desk.recorded(case)].count(False) == 1


def test_do_not_record_beats_a_case(desk: Desk, ended):
    case = desk.approved(BEFORE, BEFORE + WEEK, BEFORE)
    desk.settings = desk.settings.model_copy(
        update={"privacy": desk.settings.privacy.model_copy(update={"do_not_record": ["bob"]})}
    )
    keep(desk.at(LATER), ended())
    (kept,) = desk.recorded(case)
    assert (kept.row.file, "do-not-record" in kept.facts["reason"], "callee" in kept.facts) == (None, True, False)


def test_a_recorder_with_the_public_key_alone_records_and_cannot_play(desk: Desk, ended):
    case = desk.approved(BEFORE, BEFORE + WEEK, BEFORE)
    identity = desk.cabinet.keys.folder / f"{case.id}.key"
    aside = identity.rename(identity.with_suffix(".elsewhere"))
    keep(desk.at(LATER), ended())
    with pytest.raises(Sealed, match="is not here"):
        desk.recorded(case)
    aside.rename(identity)
    assert len(desk.recorded(case)) == 1


def test_what_is_kept_while_the_case_is_closed_is_not_there_after(desk: Desk, ended):
    case = desk.approved(BEFORE, BEFORE + WEEK, BEFORE)
    put = desk.archive.store.put
    archive = desk.at(LATER)

    class Slow(type(archive.store)):  # type: ignore[misc]
        def put(self, key: str, content: io.BufferedRandom) -> None:
            put(key, content)
            if "cases" in key:
                desk.close(desk.now_is(case), Outcome.NO_OFFENCE, LATER)

    keep(type(archive)(**{**vars(archive), "store": Slow(**vars(archive.store))}), ended())
    assert not [path for path in Path(desk.archive.store.root).rglob("*") if path.is_file() and case.id in str(path)]
    assert desk.recorded(case) == []


def test_a_backup_does_not_bring_a_destroyed_case_back(desk: Desk, ended):
    case = desk.approved(BEFORE, BEFORE + WEEK, BEFORE)
    keys = {path: path.read_text() for path in desk.cabinet.keys.folder.iterdir()}
    columns = case.model_dump()
    desk.close(case, Outcome.NO_OFFENCE, LATER)
    for path, text in keys.items():
        path.write_text(text)
    with writing(desk.cabinet.engine) as session:
        session.merge(Case(**columns))

    keep(desk.at(LATER), ended())
    assert desk.recorded(case) == []
    look(desk.cabinet, LATER)
    assert desk.now_is(case).receipt["reason"] == "destroyed before, came back with a restored backup"
    assert list(desk.cabinet.keys.folder.iterdir()) == []


def test_the_chain_of_a_case_shows_what_was_done_to_it(desk: Desk):
    case = desk.approved(BEFORE, BEFORE + WEEK, BEFORE)
    assert list(journal.broken(desk.cabinet)) == []
    with reading(desk.cabinet.engine) as session:
        chain = session.exec(select(CaseEntry)).all()
    for damage in (lambda row: setattr(row, "who", "user:eve"), None):
        with writing(desk.cabinet.engine) as session:
            last = session.get_one(CaseEntry, (len(chain), case.id))
            damage(last) if damage else session.delete(last)
        assert ["the chain of a case" in said for said in journal.broken(desk.cabinet)] == [True]
    with writing(desk.cabinet.engine) as session:
        session.add(CaseEntry(**chain[-1].model_dump()))
    assert list(journal.broken(desk.cabinet)) == []


def test_destroying_twice_does_no_harm(desk: Desk, ended):
    case = desk.approved(BEFORE, BEFORE + WEEK, BEFORE)
    row = keep(desk.at(LATER), ended())
    closed = desk.close(case, Outcome.NO_OFFENCE, LATER)
    destroy(desk.cabinet, closed, journal.RECORDER, "again", LATER + WEEK)
    look(desk.cabinet, LATER + WEEK)
    assert (desk.now_is(case).destroyed_at, desk.now_is(case).receipt) == (LATER, closed.receipt)
    assert closed.receipt["copies"][1]["kind"] == "recording"
    with reading(desk.cabinet.engine) as session:
        assert session.get_one(Recording, row.id).state == State.READY


def test_packets_that_no_decoder_here_understands_are_sealed_too(desk: Desk, ended):
    case = desk.approved(BEFORE, BEFORE + WEEK, BEFORE)
    keep(desk.at(LATER), ended(words="a call, undecoded"))
    (kept,) = desk.recorded(case)
    ((file, _),) = kept.row.captures.items()
    with desk.cabinet.open(case.id, file) as packets:
        assert packets.read() == b"a call, undecoded"
    desk.close(case, Outcome.NO_OFFENCE, LATER)
    assert desk.archive.store.size(file) is None


def test_a_case_whose_key_is_lost_can_be_closed_and_the_key_does_not_come_back(desk: Desk, ended):
    case = desk.approved(BEFORE, BEFORE + WEEK, BEFORE)
    keep(desk.at(LATER), ended())
    identity = desk.cabinet.keys.folder / f"{case.id}.key"
    aside = identity.rename(identity.with_suffix(".elsewhere"))
    closed = desk.close(case, Outcome.NO_OFFENCE, LATER)
    became = [(copy["kind"], copy["became"]) for copy in closed.receipt["copies"]]
    assert became[:2] == [("key", "was not on this machine"), ("recording", "destroyed")]
    aside.rename(identity)  # as on the recorder that has it
    look(desk.cabinet, LATER)
    assert not identity.exists()


def test_what_is_only_of_who_had_no_part_is_destroyed_also_when_the_store_was_away(desk: Desk, ended):
    case = desk.open(BEFORE, BEFORE + WEEK, BEFORE, "carol", "bob")
    case = desk.approve_with_papers(case, BEFORE)
    keep(desk.at(LATER), ended())
    (kept,) = desk.recorded(case)

    class Away(type(desk.archive.store)):  # type: ignore[misc]
        def delete(self, key: str) -> None:
            raise StoreError("away")

    store = desk.cabinet.store
    desk.cabinet = Cabinet(desk.settings, desk.cabinet.engine, Away(**vars(store)))
    with pytest.raises(StoreError):
        close(desk.cabinet, desk.actor("ivy"), case.id, Outcome.OFFENCE, "admitted", LATER, ["bob"])
    desk.cabinet = Cabinet(desk.settings, desk.cabinet.engine, store)
    assert desk.now_is(case).cleared_receipt is None
    look(desk.cabinet, LATER)
    assert desk.recorded(case) == []
    assert store.size(kept.row.file) is None
    assert [copy["became"] for copy in desk.now_is(case).cleared_receipt["copies"]] == ["destroyed"]
    with reading(desk.cabinet.engine) as session:
        assert [letter.person for letter in letters(session, case)] == ["bob"]
