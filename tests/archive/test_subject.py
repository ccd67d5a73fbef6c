"""What rules look at, and whether they fit."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from srs.archive.subject import direction, is_extension, matches, number, subject
from srs.archive.tables import Leg, Recording, State
from srs.config.hours import Hours
from srs.config.rules import GroupSettings, Match, NumbersSettings

NUMBERS = NumbersSettings(extension_digits=4, extensions=["*@example.com"])
GROUPS = [GroupSettings(name="sales", extensions=["2??"]), GroupSettings(name="legal", extensions=["sip:3*@*"])]
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def row(**changes) -> Recording:
    told = {
        "id": "r1",
        "state": State.READY,
        "started_at": NOON,
        "ended_at": NOON,
        "created_at": NOON,
        "duration_s": 60.0,
        "caller": "sip:+31201234567@carrier.example",
        "callee": "sip:201@pbx.example",
        "peer": "SBC",
        "purpose": "training",
        "tags": ["vip"],
        "legs": [Leg(channel=0, aor="sip:+31201234567@carrier.example"), Leg(channel=1, aor="sip:201@pbx.example")],
    }
    return Recording(**{**told, **changes})


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("sip:+31-20-1234567@example.com;user=phone", "+31201234567"),
        ("tel:+31(20)123.45.67", "+31201234567"),
        ("7602922411 ", "7602922411"),
        ("sip: 777 @host", "777"),
        ("sips:alice@example.com", "alice"),
        ("Alice", "Alice"),
        ("", ""),
    ],
)
def test_number(address: str, expected: str) -> None:
    assert number(address) == expected


@pytest.mark.parametrize(
    ("party", "own"),
    [
        ("sip:201@pbx", True),
        ("sip:2010@pbx", True),
        ("sip:20100@pbx", False),
        ("sip:+201@pbx", False),
        ("sip:anna@EXAMPLE.com", True),
        ("sip:anna@example.org", False),
    ],
)
def test_extension(party: str, own: bool) -> None:
    assert is_extension(party, NUMBERS) is own


def test_no_number_is_an_extension_without_digits() -> None:
    assert not is_extension("1", NumbersSettings(extension_digits=0))


@pytest.mark.parametrize(
    ("caller", "callee", "expected"),
    [
        ("sip:0201234567@c", "sip:201@p", "inbound"),
        ("sip:201@p", "sip:0201234567@c", "outbound"),
        ("sip:201@p", "sip:202@p", "internal"),
        ("sip:0201234567@c", "sip:0301234567@c", "transit"),
        (None, None, "transit"),
        (None, "sip:201@p", "inbound"),
    ],
)
def test_direction(caller: str | None, callee: str | None, expected: str) -> None:
    assert direction(caller, callee, NUMBERS) == expected


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({}, True),
        ({"number": ["+3120*"]}, True),
        ({"number": ["+3130*"]}, False),
        ({"number": ["*@CARRIER.example"]}, True),
        ({"caller": ["201"]}, False),
        ({"callee": ["201"]}, True),
        ({"callee": ["2??", "9*"]}, True),
        ({"extension": ["+3120*"]}, False),
        ({"extension": ["20?"]}, True),
        ({"group": ["sales"]}, True),
        ({"group": ["legal"]}, False),
        ({"direction": ["inbound", "internal"]}, True),
        ({"direction": ["outbound"]}, False),
        ({"peer": ["SBC"]}, True),
        ({"peer": ["other"]}, False),
        ({"purpose": ["training"]}, True),
        ({"purpose": ["quality"]}, False),
        ({"tag": ["vip", "x"]}, True),
        ({"tag": ["x"]}, False),
        ({"min_s": 60}, True),
        ({"min_s": 60.1}, False),
        ({"max_s": 60}, True),
        ({"max_s": 59}, False),
        ({"callee": ["201"], "tag": ["x"]}, False),
    ],
)
def test_match(match: dict, fits: bool) -> None:
    assert matches(Match(**match), subject(row(), NUMBERS, GROUPS)) is fits


def test_names_stand_in_for_addresses() -> None:
    seen = subject(row(caller=None, callee=None, legs=[Leg(channel=0, name="Anna")]), NUMBERS, GROUPS)
    assert seen.parties == ("Anna",)
    assert matches(Match(number=["anna"]), seen)
    assert not matches(Match(caller=["*x"]), seen)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("mon-fri 08:00-18:00", ["2026-11-27 08:00", "2026-11-23 17:59"], ["2026-11-27 18:00", "2026-11-28 09:00"]),
        ("sat", ["2026-11-28 00:00", "2026-11-28 23:59"], ["2026-11-27 23:59", "2026-11-29 00:00"]),
        ("22:00-06:00", ["2026-11-27 22:00", "2026-11-27 05:59"], ["2026-11-27 06:00", "2026-11-27 21:59"]),
        ("Fri 22:00-06:00", ["2026-11-27 23:00", "2026-11-28 05:00"], ["2026-11-27 05:00", "2026-11-28 23:00"]),
        ("sat-mon", ["2026-11-28 12:00", "2026-11-29 12:00", "2026-11-30 12:00"], ["2026-12-01 12:00"]),
    ],
)
def test_hours_of_the_week(text: str, inside: list[str], outside: list[str]):
    hours = Hours.parse(text)
    assert all(hours.include(datetime.fromisoformat(moment)) for moment in inside)
    assert not any(hours.include(datetime.fromisoformat(moment)) for moment in outside)


@pytest.mark.parametrize("text", ["", "fri 8-18", "24:30-25:00", "friday", "mon-fri-sat"])
def test_what_are_no_hours(text: str):
    with pytest.raises(ValidationError):
        Match(time=[text])
