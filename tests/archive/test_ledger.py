"""What was deleted is found again by its id, whatever else stands in the file."""

from pathlib import Path

from srs.archive import ledger
from srs.archive.ledger import NAME, Erased

ONE, OTHER = "0" * 32, "1" * 32


def test_what_was_added_is_found(tmp_path: Path) -> None:
    assert not ledger.has(tmp_path, ONE)
    ledger.add(tmp_path, [Erased(ONE, "2026/11/27/a.wav", "2026-11-27T12:00:00+00:00")])
    assert ledger.has(tmp_path, ONE)
    assert not ledger.has(tmp_path, OTHER)
    assert not ledger.has(tmp_path, ONE[:8])
    assert set(ledger.read(tmp_path)) == {ONE}


def test_an_empty_file_has_nothing(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    assert not ledger.has(tmp_path, ONE)


def test_a_key_of_the_store_is_no_id(tmp_path: Path) -> None:
    ledger.add(tmp_path, [Erased(ONE, OTHER, "2026-11-27T12:00:00+00:00")])
    assert not ledger.has(tmp_path, OTHER)
