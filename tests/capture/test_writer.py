"""The thread that writes for signalling, on a disk that takes its time."""

import threading

import pytest

from srs.capture.writer import DiskHangs, Writer

SOON_S = 10.0


def test_what_is_done_is_done_when_it_returns() -> None:
    done: list[int] = []
    writer = Writer()
    for number in range(100):
        writer.do(lambda number=number: done.append(number))
        assert done[-1] == number


def test_what_fails_is_raised_and_costs_nothing_else() -> None:
    writer, done = Writer(), list[int]()

    def fail() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        writer.do(fail)
    writer.do(lambda: done.append(1))
    assert done == [1]


def test_a_disk_that_hangs_holds_up_one_and_refuses_the_others() -> None:
    answers, done = threading.Event(), list[str]()
    writer = Writer(patience_s=0.05)

    def hang() -> None:
        answers.wait(SOON_S)
        done.append("late")

    with pytest.raises(DiskHangs):
        writer.do(hang)
    for _ in range(3):
        with pytest.raises(DiskHangs):
            writer.do(lambda: done.append("never"))
    writer.later(lambda: done.append("behind it"))
    assert done == []
    answers.set()
    while not done:
        pass
    patient = threading.Event()
    writer.later(patient.set)
    assert patient.wait(SOON_S)
    writer.do(lambda: done.append("well again"))
    assert done == ["late", "behind it", "well again"]


def test_what_failed_late_is_not_told_of_the_next() -> None:
    answers, done = threading.Event(), list[str]()
    writer = Writer(patience_s=0.05)

    def fail() -> None:
        answers.wait(SOON_S)
        raise OSError(5, "Input/output error")

    with pytest.raises(DiskHangs):
        writer.do(fail)
    answers.set()
    after = threading.Event()
    writer.later(after.set)
    assert after.wait(SOON_S)
    writer.do(lambda: done.append("next"))
    assert done == ["next"]
