"""Delays of senders with one clock, from what their reports say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtp.synchronise import LEAST_NS, MOST_NS, Reports, behind

MS, S = 1_000_000, 1_000_000_000
BEGAN_NS = 1_790_000_000 * S


def reports(delay_ms, seconds, *, epoch_s=0.0, ppm=0.0, noise_ms=0.0, seed=1):
    """What a sender says at these seconds, whose clock shows `epoch_s` at 0 and runs `ppm` fast."""
    spoken = np.asarray(seconds, np.float64)
    noise = np.random.default_rng(seed).uniform(-noise_ms, noise_ms, len(spoken))
    clock = np.rint((epoch_s + spoken * (1 + ppm * 1e-6)) * S).astype(np.int64)
    return Reports(clock, BEGAN_NS + np.rint(spoken * S + (delay_ms + noise) * MS).astype(np.int64))


HOUR, OTHER_HOUR = np.arange(1, 3600, 5.0), np.arange(3, 3600, 7.0)


@pytest.mark.parametrize("ppm", [0, 100, -100])
@pytest.mark.parametrize("epoch_s", [0, 1.79e9, 6.0e9])
def test_the_clock_of_the_senders_may_drift_and_show_any_time(ppm, epoch_s):
    senders = [reports(40, HOUR, epoch_s=epoch_s, ppm=ppm), reports(120, OTHER_HOUR, epoch_s=epoch_s, ppm=ppm)]
    assert behind(senders) == pytest.approx([0, 80 * MS], abs=0.1 * MS)


def test_reports_that_name_the_last_packet_are_as_good_as_their_median():
    senders = [reports(10, HOUR, noise_ms=10, seed=1), reports(90, OTHER_HOUR, noise_ms=10, seed=2)]
    assert behind(senders) == pytest.approx([0, 80 * MS], abs=2 * MS)


def test_who_reports_at_other_times_is_not_compared():
    senders = [reports(10, HOUR[:50]), reports(90, HOUR[100:150])]
    assert behind(senders) == [0, 0]


def test_a_few_wild_reports_change_nothing():
    wild = reports(90, HOUR)
    wild.place_ns[::4] += 3 * S
    assert behind([reports(10, HOUR), wild]) == [0, 80 * MS]


@pytest.mark.parametrize("noise_ms", [40, 4000])
def test_reports_that_do_not_agree_are_not_believed(noise_ms):
    assert behind([reports(10, HOUR), reports(90, HOUR, noise_ms=noise_ms)]) == [0, 0]


def test_one_that_is_wrong_does_not_move_those_that_are_right():
    senders = [reports(delay, HOUR) for delay in (10, 90, 4000)]
    assert behind(senders) == [0, 80 * MS, 0]
    assert behind([]) == []
    assert behind(senders[:1]) == [0]


moments = st.integers(-(2**61), 2**62)


@given(st.lists(st.lists(st.tuples(moments, moments), max_size=5), max_size=4))
def test_nothing_moves_by_more_than_a_network_delays(rows):
    columns = [np.array(sorted(each), np.int64).reshape(-1, 2).T for each in rows]
    for by in behind([Reports(clock, place) for clock, place in columns]):
        assert by == 0 or LEAST_NS <= by <= MOST_NS
