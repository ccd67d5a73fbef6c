"""How long a recording is kept."""

from datetime import UTC, datetime, timedelta

import pytest

from srs.archive.tables import Recording
from srs.config import Settings
from srs.handoff.retention import expiry, may_be_pruned

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def a_row(**more) -> Recording:
    moments = {"started_at": NOON - timedelta(minutes=1), "ended_at": NOON, "created_at": NOON + timedelta(hours=5)}
    return Recording(id="r1", state="ready", duration_s=60.0, **moments, **more)


def with_rules(*rules: dict, **more) -> Settings:
    return Settings(retention={"rule": [{"name": f"rule{n}", **rule} for n, rule in enumerate(rules)], **more})


MONTH, YEAR, FOREVER = {"keep_days": 30}, {"keep_days": 365}, {}
COMPLAINT = {"match": {"purpose": ["complaint"]}}


@pytest.mark.parametrize(
    ("settings", "days", "source"),
    [
        (with_rules(), None, "default"),
        (with_rules(keep_days=7), 7, "default"),
        (with_rules(MONTH, keep_days=7), 30, "rule rule0"),
        (with_rules({**YEAR, **COMPLAINT}, MONTH), 365, "rule rule0"),
        (with_rules({**YEAR, **COMPLAINT}, MONTH, wins="shortest"), 30, "rule rule1"),
        (with_rules(MONTH, FOREVER), None, "rule rule1"),
        (with_rules(MONTH, FOREVER, wins="shortest"), 30, "rule rule0"),
        (with_rules({**YEAR, "match": {"purpose": ["training"]}}, keep_days=0), 0, "default"),
    ],
)
def test_the_period_counts_from_the_end_of_the_call(settings: Settings, days: float | None, source: str):
    due_at = None if days is None else NOON + timedelta(days=days)
    assert expiry(a_row(purpose="complaint"), settings) == (due_at, source)


def test_a_rule_may_forbid_to_prune():
    settings = with_rules({**COMPLAINT, "prune": False}, MONTH)
    assert may_be_pruned(a_row(), settings)
    assert not may_be_pruned(a_row(purpose="complaint"), settings)
