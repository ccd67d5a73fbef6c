"""Captures into the archive, cut off at every step."""

import hashlib
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import Session, select
from support.archive import keep
from support.heard import samples

import srs.archive.keep
from srs.archive import captures, catalogue, peaks
from srs.archive.database import reading, writing
from srs.archive.errors import DatabaseError, NoRecording, StoreError
from srs.archive.keep import Archive, is_unheard, moment
from srs.archive.keep import keep as keep_all
from srs.archive.tables import Leg, Recording
from srs.archive.verdict import Verdict
from srs.config import AudioSettings


def rows(archive: Archive) -> list[Recording]:
    with reading(archive.engine) as session:
        return list(session.exec(select(Recording)))


def files(archive: Archive, folder: str) -> list[str]:
    return sorted(path.name for path in (archive.data_dir / folder).rglob("*") if path.is_file())


def test_a_call_becomes_a_row_and_a_file_and_the_capture_goes(archive: Archive, ended):
    row = keep(archive, ended())
    assert (row.id, row.call_id, row.state, row.held) == ("a1b2c3d4", "call-1@example.com", "ready", False)
    assert row.started_at == datetime(2026, 11, 24, 12, 0, 0, 123456, UTC)
    assert row.duration_s == 2.0
    assert row.file == "2026/11/24/a1b2c3d4.wav"
    assert row.facts == {"end_reason": "BYE", "interrupted": False}
    assert [(leg.channel, leg.name, leg.codec, leg.packets, leg.lost) for leg in row.legs] == [
        (0, "Alice", "PCMU", 100, 2),
        (1, None, "PCMA", 100, 2),
    ]
    assert files(archive, "captures") == []
    assert [found.id for found in rows(archive)] == ["a1b2c3d4"]


def test_the_file_is_every_sample_of_both_legs(archive: Archive, ended):
    row = keep(archive, ended())
    path = Path(archive.store.location(row.file))
    content = path.read_bytes()
    assert (row.bytes, row.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    sound = samples(path)
    assert sound.shape == (16000, 2)
    time = np.arange(16000) / 8000
    for channel, frequency in enumerate((440, 1000)):
        expected = (8000 * np.sin(2 * np.pi * frequency * time)).astype(np.int16)
        assert np.array_equal(sound[:, channel], expected)


def test_mono_mixes_the_legs(archive: Archive, ended):
    row = keep(replace(archive, audio=AudioSettings(format="flac", channels="mono")), ended())
    assert row.format == "flac"
    with archive.store.open(row.file) as file:
        assert srs.archive.audio.read(file).channels == 1


STEPS = ["finalise", "audio.write", "put", "_save", "_put_away"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_cut_off_at_any_step_and_done_again_it_is_one_recording(
    archive: Archive, ended, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
):
    class Killed(BaseException):
        pass

    def cut(inner):
        def cut_off(*arguments):
            if after:
                inner(*arguments)
            raise Killed

        return cut_off

    capture, broken = ended(), archive
    with monkeypatch.context() as patch:
        if step == "finalise":
            broken = replace(archive, finalise=cut(archive.finalise))
        elif step == "put":
            patch.setattr("srs.archive.store.Store.put", cut(srs.archive.store.Store.put))
        else:
            patch.setattr(f"srs.archive.keep.{step}", cut(getattr(srs.archive.keep, step, srs.archive.audio.write)))
        with pytest.raises(Killed):
            keep(broken, capture)
    done = step == "_put_away" and after
    assert capture.exists() is not done

    row = keep(archive, capture)
    assert [found.id for found in rows(archive)] == [row.id]
    assert row.state == "ready"
    assert files(archive, "audio") == ["a1b2c3d4.wav", "a1b2c3d4.wav.peaks"]
    assert files(archive, "captures") == []
    assert archive.store.size(row.file) == row.bytes
    assert not [path for path in archive.data_dir.iterdir() if path.name.startswith("tmp")]


def test_a_row_whose_sound_is_lost_is_made_anew_and_stays_held(archive: Archive, ended):
    row = keep(archive, ended())
    with writing(archive.engine) as session:
        session.merge(row).held = True
    archive.store.delete(row.file)
    again = keep(archive, ended())
    assert archive.store.size(again.file) == row.bytes
    assert [found.held for found in rows(archive)] == [True]


def test_what_was_deleted_does_not_come_back(archive: Archive, ended):
    row = keep(archive, ended())
    peaks.delete(archive.store, row.file)
    archive.store.delete(row.file)
    with writing(archive.engine) as session:
        session.merge(row).state = "deleted"
    assert keep(archive, ended()).state == "deleted"
    assert files(archive, "audio") == files(archive, "captures") == []


@pytest.mark.parametrize(
    ("words", "reason"), [("broken", "there is no SIP in it"), ("defect", "defect in finalise: IndexError")]
)
def test_what_cannot_be_finalised_is_set_aside_with_the_reason(archive: Archive, ended, words: str, reason: str):
    row = keep(archive, ended(words=words))
    assert row.state == "failed"
    assert reason in row.reason
    assert files(archive, "captures/failed") == ["a1b2c3d4.pcap"]
    assert files(archive, "audio") == files(archive, "captures/ended") == []


def test_what_failed_can_be_tried_again(archive: Archive, ended):
    keep(archive, ended(words="broken"))
    assert keep(archive, ended(words="a call")).state == "ready"
    assert [(row.state, row.reason) for row in rows(archive)] == [("ready", None)]


def test_a_capture_with_undecoded_packets_is_kept(archive: Archive, ended):
    assert keep(archive, ended(words="undecoded")).state == "ready"
    assert files(archive, "captures/kept") == ["a1b2c3d4.pcap"]


@pytest.mark.parametrize(
    ("facts", "unheard"),
    [
        ({}, False),
        ({"undecoded": {"EVS": 1}}, True),
        ({"forged": 1, "damaged": 1}, False),
        ({"forged": 3}, True),
        ({"damaged": 3}, True),
    ],
)
def test_of_which_captures_another_try_may_hear_more(facts, unheard):
    assert is_unheard(Leg(packets=200, facts=facts)) == unheard
    assert is_unheard(Leg(packets=0, facts={"forged": 1}))


def test_octets_that_no_database_takes_are_replaced(archive: Archive, ended):
    assert keep(archive, ended(words="odd")).call_id == "odd-\ufffd-\ufffd"


def test_a_store_that_is_away_costs_nothing(archive: Archive, ended, monkeypatch: pytest.MonkeyPatch):
    def away(*_):
        raise StoreError("away")

    capture = ended()
    with monkeypatch.context() as patch:
        patch.setattr("srs.archive.store.Store.put", away)
        with pytest.raises(StoreError):
            keep(archive, capture)
    assert rows(archive) == []
    assert capture.exists()
    assert keep(archive, capture).state == "ready"


def test_a_database_that_is_away_costs_nothing(archive: Archive, ended):
    capture = ended()
    with archive.engine.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE recording RENAME TO elsewhere")
        connection.commit()
    with pytest.raises(DatabaseError):
        keep(archive, capture)
    assert capture.exists()


def test_no_capture_and_no_row(archive: Archive):
    with pytest.raises(NoRecording, match="no such capture"):
        keep(archive, archive.data_dir / "captures" / "ended" / "none.pcap")


TWO = "a call and a call"


def test_a_capture_of_two_calls_becomes_two_recordings(archive: Archive, ended):
    first, second = keep_all(archive, ended(words=TWO))
    assert (first.id, first.session_id, second.session_id) == ("a1b2c3d4", "cs-1", "cs-2")
    assert len(second.id) == 32
    assert second.started_at - first.started_at == timedelta(seconds=3)
    assert files(archive, "captures") == []
    assert len(files(archive, "audio")) == 4


def test_two_calls_cut_off_before_the_capture_goes_are_the_same_two(archive: Archive, ended, monkeypatch):
    before = [row.id for row in keep_all(archive, ended(words=TWO))]
    again = [row.id for row in keep_all(archive, ended(words=TWO))]
    assert again == before
    assert sorted(row.id for row in rows(archive)) == sorted(before)


def test_of_two_calls_the_deleted_one_stays_deleted_when_the_other_is_made_anew(archive: Archive, ended):
    first, second = keep_all(archive, ended(words=TWO))
    catalogue.delete(archive.engine, archive.store, archive.data_dir, second.id, datetime.now(UTC))
    archive.store.delete(first.file)
    assert [row.state for row in keep_all(archive, ended(words=TWO))] == ["ready", "deleted"]
    assert files(archive, "audio") == ["a1b2c3d4.wav", "a1b2c3d4.wav.peaks"]


def test_what_was_set_aside_of_two_calls_is_found_from_both_and_goes_with_either(archive: Archive, ended):
    both = keep_all(archive, ended(words=f"{TWO}, undecoded"))
    kept = archive.data_dir / "captures" / "kept" / "a1b2c3d4.pcap"
    assert [captures.put_aside(archive.data_dir, row) for row in both] == [kept, kept]
    catalogue.delete(archive.engine, archive.store, archive.data_dir, both[1].id, datetime.now(UTC))
    assert not kept.exists()


def test_two_at_once_make_one(archive: Archive, ended):
    capture, found = ended(), []
    calls = []

    def counted(path: Path):
        calls.append(path)
        return archive.finalise(path)

    shared = replace(archive, finalise=counted)
    threads = [threading.Thread(target=lambda: found.append(keep(shared, capture).sha256)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert len(set(found)) == 1
    assert len(found) == 3


@pytest.mark.parametrize("time_ns", [0, 999, 1_000, 1_795_521_600_999_999_999])
def test_moments_are_cut_to_the_microsecond(time_ns: int):
    assert moment(time_ns).timestamp() == pytest.approx(time_ns // 1000 / 1e6, abs=1e-7)
    assert moment(time_ns).tzinfo is UTC


def test_what_is_noted_with_a_row_comes_and_fails_with_it(archive: Archive, ended):
    capture = ended()

    def fail(session: Session, row: Recording) -> None:
        session.add(Recording(**{**row.model_dump(), "id": "beside"}))
        raise StoreError("not now")

    with pytest.raises(StoreError):
        keep(replace(archive, on_stored=(fail,)), capture)
    assert rows(archive) == []
    assert capture.exists()
    noted: list[str] = []
    keep(replace(archive, on_stored=(lambda _, row: noted.append(row.id),)), capture)
    assert noted == [row.id for row in rows(archive)] == [capture.stem]


def test_of_a_call_that_may_not_be_kept_nothing_stays_not_even_its_capture(archive: Archive, ended):
    def judge(row: Recording, finalised: object) -> Verdict:
        return Verdict(unwanted="on the list" if row.id != "a1b2c3d4" else None)

    capture = ended(words="undecoded")
    twice = replace(archive, finalise=lambda path: archive.finalise(path)[:1] * 2, judge=judge)
    kept, unwanted = keep_all(twice, capture)
    assert (kept.state, unwanted.state, unwanted.reason, unwanted.file) == ("ready", "deleted", "on the list", None)
    assert files(archive, "audio") == ["a1b2c3d4.wav", "a1b2c3d4.wav.peaks"]
    assert files(archive, "captures") == []
