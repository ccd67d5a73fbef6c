import pytest

from srs.alarms import Alarms
from srs.capture.health import SILENCE_S, Health, Probe

GOOD = Probe(free=1 << 30, error=None, took_s=0.001)
STATUS = {"lag_s": 0.0, "packets": 1, "octets": 172, "dropped": 0, "unwritten": 0, "error": None}


@pytest.fixture
def health() -> Health:
    health = Health(1 << 20, 2.0, Alarms())
    health.on_probe(GOOD, 0.0, 0.0)
    return health


def test_all_is_well(health: Health) -> None:
    health.on_report("capture-0", STATUS, 1.0)
    assert health.trouble(1.0) is None
    assert health.alarms.active()["storage"] == 0


@pytest.mark.parametrize(
    ("probe", "reason"),
    [
        (Probe((1 << 20) - 1, None, 0.0), "disk full"),
        (Probe(1 << 30, "Read-only file system", 0.0), "Read-only file system"),
    ],
)
def test_a_bad_trial_refuses_until_a_good_one(health: Health, probe: Probe, reason: str) -> None:
    health.on_probe(probe, 1.0, 1.0)
    assert health.trouble(1.0) == reason
    assert health.alarms.active()["storage"] == 1
    health.on_probe(GOOD, 2.0, 2.0)
    assert health.trouble(2.0) is None
    assert health.alarms.active()["storage"] == 0


def test_a_failed_write_refuses_until_a_trial_begun_later_goes_well(health: Health) -> None:
    health.on_report("capture-0", {**STATUS, "error": "No space left on device"}, 2.0)
    assert health.trouble(2.0) == "No space left on device"
    health.on_probe(GOOD, 1.9, 2.1)
    assert health.trouble(2.1) == "No space left on device"
    health.on_probe(GOOD, 2.2, 2.3)
    assert health.trouble(2.3) is None


def test_a_write_that_fails_before_the_first_trial_counts() -> None:
    health = Health(1, 2.0, Alarms())
    health.write_failed("Input/output error", 0.0)
    assert health.trouble(0.0) == "Input/output error"


def test_a_disk_that_hangs(health: Health) -> None:
    health.watch(SILENCE_S)
    assert health.trouble(SILENCE_S) is None
    health.watch(SILENCE_S + 0.1)
    assert health.trouble(SILENCE_S + 0.1) == "disk does not answer"
    assert health.alarms.active()["storage"] == 1


def test_workers_that_lag_behind_or_are_silent(health: Health) -> None:
    health.on_report("capture-0", {**STATUS, "lag_s": 2.5}, 1.0)
    health.on_report("capture-1", STATUS, 1.0)
    assert health.trouble(1.0) == "capture is 2.5 s behind"
    assert health.alarms.active()["lag"] == 1
    health.on_report("capture-0", STATUS, 2.0)
    assert health.trouble(2.0) is None
    health.on_probe(GOOD, 5.0, 5.0)
    health.on_report("capture-0", STATUS, 5.0)
    assert health.trouble(5.0) == "capture is 4.0 s behind"  # capture-1 has said nothing since


def test_nothing_is_taken_before_the_disk_was_tried() -> None:
    health = Health(1, 2.0, Alarms())
    health.watch(0.0)
    assert health.trouble(0.0) == "disk not tried yet"
    assert health.alarms.active()["storage"] == 0
    health.on_probe(GOOD, 0.0, 0.1)
    assert health.trouble(0.1) is None
