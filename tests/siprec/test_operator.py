"""Notes of what operators did."""

import pytest

from srs.siprec.operator import Note, Pause, pauses, purpose, read


@pytest.mark.parametrize("note", [Note("pause", "user:a;b=c d"), Note("purpose", "cli:ann", "klacht; éen")])
def test_a_note_is_read_as_it_was_written(note: Note):
    assert str(note).isascii()
    assert read(str(note)) == note


def test_other_notes_are_none_of_an_operator():
    assert read("kernel-drops;port=16384;count=12") is None
    assert read("operator") == Note("", "")


def test_a_pause_begins_once_and_lasts_to_the_end_if_nobody_resumes():
    events = [(at, str(Note(act, by))) for at, act, by in ((1, "resume", "x"), (2, "pause", "a"), (3, "pause", "b"))]
    assert pauses(events, 9) == (Pause(2, 9, "a"),)
    more = [*events, (4, str(Note("resume", "c"))), (5, "peer;name=x"), (6, str(Note("pause", "d")))]
    assert pauses(more, 9) == (Pause(2, 4, "a"), Pause(6, 9, "d"))


def test_the_last_purpose_given_holds():
    events = [(1.0, str(Note("purpose", "a", "one"))), (2.0, str(Note("purpose", "b", "two"))), (3.0, "peer;purpose=x")]
    assert purpose(events) == "two"
    assert purpose([]) is None
