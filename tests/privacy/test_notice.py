"""Who was told: each party for itself, also those that came later; by announcement, by the client's word, or not."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from support.speech import RATE, music

from srs.alarms import Alarms
from srs.archive.database import connect, writing
from srs.archive.tables import Notice, Recording
from srs.config.rules import NumbersSettings
from srs.privacy import alarm
from srs.privacy.notice import notices

from .conftest import wav

NUMBERS = NumbersSettings(extension_digits=4)
CALLER, AGENT, EXPERT = "sip:0201234567@example.com", "sip:201@example.com", "sip:0307654321@example.com"
SOUND = music(np.random.default_rng(1), 3)
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


@dataclass
class Leg:
    label: str
    samples: np.ndarray
    sample_rate: int = RATE


@dataclass
class Finalised:
    legs: list[Leg]
    facts: dict[str, object]


def leg(label: str, *seconds: float) -> Leg:
    """30 s with the announcement at these."""
    samples = np.zeros(30 * RATE, np.int16)
    for second in seconds:
        at = round(second * RATE)
        samples[at : at + len(SOUND)] = SOUND
    return Leg(label, samples)


def participant(aor: str, label: str, from_s: float, to_s: float | None = None) -> dict[str, object]:
    return {"label": label, "aor": aor, "name": None, "from_s": from_s, "to_s": to_s}


def row(number: int = 0, started_at: datetime = NOON, **more: object) -> Recording:
    common = {"state": "ready", "ended_at": started_at, "created_at": started_at, "duration_s": 30.0}
    return Recording(**common, id=f"rec{number:05}", started_at=started_at, purpose="training", **more)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return wav(tmp_path / "notice.wav", SOUND)


def told(call: Finalised, sound: Path | str | None) -> dict[str | None, tuple[str, int | None]]:
    found = notices(row(), call, sound, "X-Recording-Notice", NUMBERS)
    return {notice.party: (notice.state, notice.channel) for notice in found}


def transferred(*seconds: float) -> Finalised:
    """The agent puts the caller through to an expert outside, at 15 s, on the agent's leg; the caller's leg plays."""
    who = [participant(CALLER, "1", 0), participant(AGENT, "2", 0, 15), participant(EXPERT, "2", 15)]
    return Finalised([leg("1", *seconds), leg("2", 1)], {"participants": who})


def test_after_a_transfer_the_new_party_needs_a_notice_of_its_own(sound: Path):
    expected = {CALLER: ("heard", 1), AGENT: ("staff", None)}
    assert told(transferred(), sound) == {**expected, EXPERT: ("missing", None)}
    assert told(transferred(2), sound) == {**expected, EXPERT: ("missing", None)}  # before it came
    assert told(transferred(2, 17), sound) == {**expected, EXPERT: ("heard", 0)}


def test_an_announcement_on_the_own_leg_is_not_heard_by_its_party(sound: Path):
    call = Finalised([leg("1", 2), leg("2")], {"participants": [participant(CALLER, "1", 0)]})
    assert told(call, sound) == {CALLER: ("missing", None)}


def test_who_comes_back_is_one_party(sound: Path):
    who = [participant(CALLER, "1", 0, 5), participant(CALLER, "1", 10, 20)]
    found = notices(row(), Finalised([leg("1"), leg("2", 6)], {"participants": who}), sound, None, NUMBERS)
    assert [(notice.from_s, notice.to_s, notice.state) for notice in found] == [(0, 20, "heard")]


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"headers": {"x-recording-notice": "played"}}, "outside"),
        ({"headers": {"x-recording-notice": "no"}}, "missing"),
        ({"extensions": ["x-recording-notice"]}, "outside"),
        ({"headers": {"x-other": "played"}}, "missing"),
    ],
)
def test_a_client_may_say_that_it_told_them(sound: Path, facts: dict[str, object], state: str):
    call = Finalised([leg("1"), leg("2")], {"participants": [participant(CALLER, "1", 0)], **facts})
    assert told(call, sound) == {CALLER: (state, None)}


def test_without_an_announcement_nothing_is_claimed(tmp_path: Path):
    call = Finalised([leg("1"), leg("2", 1)], {"participants": [participant(CALLER, "1", 0)]})
    assert told(call, None) == told(call, tmp_path / "no-such.wav") == {CALLER: ("unchecked", None)}


@pytest.mark.parametrize(("untold", "hours", "raised"), [(3, 1, 1), (1, 1, 0), (3, 25, 0)])
def test_an_alarm_above_the_limit(tmp_path: Path, untold: int, hours: int, raised: int):
    engine, alarms = connect(f"sqlite:///{tmp_path / 'test.sqlite'}"), Alarms()
    states = ["missing"] * untold + ["heard"] * (12 - untold)
    with writing(engine) as session:
        for number, state in enumerate(states):
            notice = Notice(place=0, state=state, from_s=0.0)
            session.add(row(number, NOON - timedelta(hours=hours), notices=[notice]))
    alarm.look(engine, 0.1, alarms, NOON)
    engine.dispose()
    assert alarms.active()["notice"] == raised
