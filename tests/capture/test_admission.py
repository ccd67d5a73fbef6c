import contextlib

import pytest

from srs.alarms import Alarms
from srs.capture import admission
from srs.capture.admission import Admission, Rates, Refusal
from srs.capture.health import Health, Probe
from srs.config import AdmissionSettings, Settings


def make(**limits) -> tuple[Admission, Health]:
    settings = Settings(admission=AdmissionSettings(**limits))
    health = Health(settings.admission.least_free, settings.admission.lag_s, Alarms())
    health.on_probe(Probe(1 << 40, None, 0.0), 0.0, 0.0)
    return Admission(settings, health), health


def test_who_may_record() -> None:
    admission.check_source("192.0.2.7", [])
    admission.check_source("192.0.2.7", ["198.51.100.0/24", "192.0.2.0/24"])
    admission.check_source("2001:db8::1", ["2001:db8::/32"])
    with pytest.raises(Refusal, match=r"403 .*203\.0\.113\.1"):
        admission.check_source("203.0.113.1", ["192.0.2.0/24"])
    with pytest.raises(Refusal):
        admission.check_source("2001:db8::1", ["192.0.2.0/24"])


def test_no_more_calls_than_set() -> None:
    limited, _ = make(calls=2)
    limited.check("192.0.2.1", 1, 0.0)
    with pytest.raises(Refusal, match="503 2 calls at once") as refused:
        limited.check("192.0.2.1", 2, 0.0)
    assert (refused.value.status, refused.value.retry_after_s) == (503, admission.RETRY_AFTER_S)
    make()[0].check("192.0.2.1", 100_000, 0.0)


def test_a_source_in_a_hurry_does_not_hinder_another() -> None:
    limited, _ = make(invites_per_s=5)
    for _ in range(10):
        limited.check("192.0.2.1", 0, 0.0)
    with pytest.raises(Refusal, match=r"503 too many calls a second from 192\.0\.2\.1"):
        limited.check("192.0.2.1", 0, 0.0)
    limited.check("192.0.2.2", 0, 0.0)


def test_a_bucket_fills_up_again_but_not_over() -> None:
    rates = Rates(2.0)
    assert [rates.take("a", 0.0) for _ in range(5)] == [True] * 4 + [False]
    assert [rates.take("a", 0.5), rates.take("a", 0.5)] == [True, False]
    assert [rates.take("a", 1000.0) for _ in range(5)] == [True] * 4 + [False]


def test_a_slow_rate_still_lets_one_call_in() -> None:
    rates = Rates(0.1)
    assert [rates.take("a", 0.0), rates.take("a", 9.0), rates.take("a", 10.0)] == [True, False, True]


def test_sources_are_not_remembered_without_end() -> None:
    rates = Rates(0.5)
    for number in range(admission.MOST_SOURCES + 1):
        rates.take(str(number), 0.0)
    assert rates.take("0", 0.0)  # forgotten, so new again
    assert not rates.take(str(admission.MOST_SOURCES), 0.0)


def test_trouble_with_the_disk_refuses() -> None:
    limited, health = make(least_free_mb=10)
    health.on_probe(Probe((10 << 20) - 1, None, 0.0), 0.0, 0.0)
    with pytest.raises(Refusal, match="503 cannot record: disk full"):
        limited.check("192.0.2.1", 0, 0.0)
    health.on_probe(Probe(10 << 20, None, 0.0), 1.0, 1.0)
    limited.check("192.0.2.1", 0, 1.0)


def test_a_refusal_passes_through_context_managers() -> None:
    with pytest.raises(Refusal, match="503 full"), contextlib.suppress(KeyError), contextlib.ExitStack():
        raise Refusal(503, "full", 10)
