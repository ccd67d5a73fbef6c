"""How fast the disk fills."""

import pytest

from srs.handoff.forecast import octets_a_day


def test_an_empty_archive_does_not_grow(shelf):
    assert octets_a_day(shelf.engine, shelf.clock()) == 0


def test_the_last_week_counts_from_the_first_recording_in_it(shelf):
    shelf.record(shelf.settings(), "old")
    shelf.clock.on(days=10)
    for recording in ("a", "b"):
        octets = shelf.record(shelf.settings(), recording).bytes
        assert octets_a_day(shelf.engine, shelf.clock()) == octets * (1 if recording == "a" else 2)
    shelf.clock.on(days=4)
    assert octets_a_day(shelf.engine, shelf.clock()) == pytest.approx(octets / 2)
