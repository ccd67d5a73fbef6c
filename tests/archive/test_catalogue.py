"""Listing, finding, holding and deleting."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from support.archive import keep

from srs.archive import catalogue
from srs.archive.catalogue import Filter, as_json, details, entries, find
from srs.archive.database import reading, writing
from srs.archive.errors import AmbiguousId, Held, NoRecording, NotReady, StoreError
from srs.archive.keep import Archive
from srs.archive.tables import Leg, Recording, State

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def add(archive: Archive, recording: str, *, age: int = 0, **more) -> None:
    start = NOW - timedelta(hours=age)
    row = Recording(
        id=recording,
        started_at=start,
        ended_at=start,
        duration_s=0,
        created_at=start,
        **{"state": State.READY, **more},
    )
    with writing(archive.engine) as session:
        session.add(row)


def listed(archive: Archive, **wanted) -> list[tuple[str, str]]:
    return [(row.id, str(row.state)) for row in entries(archive.engine, archive.data_dir, Filter(**wanted))]


@pytest.fixture
def opened(archive: Archive):
    path = archive.data_dir / "captures" / "open" / "0pen0000.pcap"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    os.utime(path, (NOW.timestamp() + 60,) * 2)
    return path


def test_newest_first_with_what_has_no_row_yet(archive: Archive, ended, opened):
    add(archive, "old0", age=2)
    add(archive, "new0", age=1)
    os.utime(ended("ended000"), (NOW.timestamp() + 30,) * 2)
    everything = [("0pen0000", "recording"), ("ended000", "captured"), ("new0", "ready"), ("old0", "ready")]
    assert listed(archive) == everything
    assert listed(archive, limit=3) == everything[:3]
    assert listed(archive, state=State.CAPTURED) == everything[1:2]
    assert listed(archive, state=State.READY) == everything[2:]


def test_a_capture_with_a_row_is_listed_once(archive: Archive, ended):
    keep(archive, ended("a1b2c3d4"))
    ended("a1b2c3d4")
    assert listed(archive) == [("a1b2c3d4", "ready")]


def test_parties_are_found_by_address_and_by_name(archive: Archive, opened):
    add(archive, "one0", caller="sip:alice@example.com")
    add(archive, "two0", callee="sip:bob@example.com", legs=[Leg(channel=0, name="Robert 50%")])
    assert listed(archive, party="ALICE") == [("one0", "ready")]
    assert listed(archive, party="bob@") == [("two0", "ready")]
    assert listed(archive, party="robert") == [("two0", "ready")]
    assert listed(archive, party="50%") == [("two0", "ready")]
    assert listed(archive, party="%") == [("two0", "ready")]
    assert listed(archive, party="nobody") == []


def test_a_prefix_finds_one(archive: Archive, ended):
    add(archive, "abcd1111")
    add(archive, "abcd2222")
    ended("abce3333")
    assert find(archive.engine, archive.data_dir, "abcd1").id == "abcd1111"
    assert find(archive.engine, archive.data_dir, "abce").state == State.CAPTURED
    with pytest.raises(AmbiguousId, match="abcd1111, abcd2222"):
        find(archive.engine, archive.data_dir, "abcd")
    for wrong in ("abc", "", "zzzz", "____", "%%%%"):
        with pytest.raises(NoRecording):
            find(archive.engine, archive.data_dir, wrong)


def test_to_find_one_call_under_way_no_other_is_read(archive: Archive, opened, monkeypatch: pytest.MonkeyPatch):
    for number in range(5):
        (opened.parent / f"0ther{number:03}.pcap").write_bytes(b"")
    read, really = [], catalogue._of_capture
    monkeypatch.setattr(catalogue, "_of_capture", lambda path, state: read.append(path.stem) or really(path, state))
    assert find(archive.engine, archive.data_dir, "0pen0000").state == State.RECORDING
    assert read == ["0pen0000"]


def row_of(archive: Archive, recording: str) -> Recording:
    with reading(archive.engine) as session:
        row = session.get(Recording, recording)
        assert row is not None
        return row


def delete(archive: Archive, recording: str) -> None:
    catalogue.delete(archive.engine, archive.store, archive.data_dir, recording, NOW)


def test_deleting_removes_sound_and_capture_and_keeps_the_row(archive: Archive, ended):
    row = keep(archive, ended(words="undecoded"))
    delete(archive, row.id)
    found = row_of(archive, row.id)
    assert (found.state, found.file, found.bytes, found.deleted_at) == ("deleted", None, None, NOW)
    assert found.sha256 == row.sha256
    assert [path for path in archive.data_dir.rglob("a1b2*") if path.is_file()] == []
    delete(archive, row.id)
    assert row_of(archive, row.id).deleted_at == NOW


def test_a_hold_forbids_deleting(archive: Archive, ended):
    row = keep(archive, ended())
    catalogue.hold(archive.engine, row.id, held=True)
    with pytest.raises(Held, match="release"):
        delete(archive, row.id)
    assert archive.store.size(row.file) == row.bytes
    catalogue.hold(archive.engine, row.id, held=False)
    delete(archive, row.id)
    assert archive.store.size(row.file) is None


def test_a_store_that_does_not_delete_leaves_the_row_as_it_was(archive: Archive, ended, monkeypatch):
    def away(*_: object) -> None:
        raise StoreError("away")

    row = keep(archive, ended())
    monkeypatch.setattr(type(archive.store), "delete", away)
    with pytest.raises(StoreError):
        delete(archive, row.id)
    assert row_of(archive, row.id).state == "ready"


def test_what_is_not_archived_cannot_be_deleted(archive: Archive, opened):
    with pytest.raises(NotReady, match="not archived yet"):
        delete(archive, "0pen0000")
    assert opened.exists()


def test_the_contract_of_list_json(archive: Archive, ended):
    row = keep(archive, ended())
    assert as_json(row, archive.store) == {
        "id": "a1b2c3d4",
        "call_id": "call-1@example.com",
        "session_id": "cs-1",
        "state": "ready",
        "started_at": "2026-11-24T12:00:00.123Z",
        "ended_at": "2026-11-24T12:00:02.123Z",
        "duration_s": 2.0,
        "caller": "sip:alice@example.com",
        "callee": "sip:bob@example.com",
        "legs": [
            {
                "label": label,
                "aor": f"sip:{who}@example.com",
                "name": name,
                "codec": codec,
                "packets": 100,
                "lost": 2,
                "seconds": 2.0,
            }
            for label, who, name, codec in (("1", "alice", "Alice", "PCMU"), ("2", "bob", None, "PCMA"))
        ],
        "file": str(archive.data_dir / "audio/2026/11/24/a1b2c3d4.wav"),
        "format": "wav",
        "bytes": row.bytes,
        "sha256": row.sha256,
    }


def test_legs_have_their_fields_in_the_order_of_the_contract(archive: Archive, ended):
    (leg, _) = as_json(keep(archive, ended()), archive.store)["legs"]
    assert list(leg) == ["label", "aor", "name", "codec", "packets", "lost", "seconds"]


def test_details_have_the_facts_of_each_leg(archive: Archive, ended):
    known = details(archive.engine, row_of(archive, keep(archive, ended()).id), archive.store)
    assert known["leg_facts"][0]["gaps"] == [[0.5, 0.04]]
    assert known["facts"]["end_reason"] == "BYE"
