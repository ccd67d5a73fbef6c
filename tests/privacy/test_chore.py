"""What the handoff process does now and then."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from srs.archive.errors import DatabaseError
from srs.privacy.chore import Chore


@pytest.fixture
def done() -> list[datetime]:
    return []


@pytest.fixture
def act(done: list[datetime]) -> Callable[[datetime], None]:
    """Fails the first time."""

    def act(now: datetime) -> None:
        done.append(now)
        if len(done) == 1:
            raise DatabaseError("away")

    return act


@pytest.mark.parametrize(("every_s", "times"), [(0.0, 3), (3600.0, 1)])
def test_it_is_done_when_it_is_due_and_what_hinders_it_is_told(done, act, every_s: float, times: int):
    begun = datetime.now(UTC)
    chore = Chore(every_s, act, "not counted")
    with capture_logs() as told:
        for _ in range(3):
            chore()
    assert len(done) == times
    assert begun <= done[0] <= datetime.now(UTC)
    assert [(line["event"], line["reason"]) for line in told] == [("not counted", "away")]


def test_a_defect_is_not_taken_for_a_hindrance():
    def broken(_: datetime) -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        Chore(0.0, broken, "not counted")()
