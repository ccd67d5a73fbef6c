"""Clock skew from what arrives: streams of a known skew through networks of a known kind."""

import numpy as np
import pytest

from rtp import skew

PACKET_NS = 20_000_000


def arrivals(seconds, ppm, delay_ns, seed=0):
    """Elapsed time and transit of packets every 20 ms, and delays (packets,) added by `delay_ns(rng, sent)`."""
    ticks = np.arange(round(seconds * 50)) * PACKET_NS
    sent = ticks / (1 - ppm * 1e-6)
    elapsed = np.rint(sent + delay_ns(np.random.default_rng(seed), sent)).astype(np.int64)
    return elapsed, elapsed - ticks.astype(np.float64)


NETWORKS = {
    "loopback": lambda rng, sent: rng.exponential(50e3, len(sent)),
    "jitter of 20 ms": lambda rng, sent: rng.exponential(20e6, len(sent)),
    "one packet in 50 half a second late": lambda rng, sent: 5e8 * (rng.random(len(sent)) < 0.02),
    "a busy half hour": lambda rng, sent: rng.exponential(1e6, len(sent)) + 40e6 * (sent % 3.6e12 < 0.9e12),
}


@pytest.mark.parametrize("network", ["loopback", "jitter of 20 ms", "one packet in 50 half a second late"])
@pytest.mark.parametrize("ppm", [-450, -200, -20, 20, 100, 200, 450])
def test_an_hour_stays_within_5_ms(network, ppm):
    found = skew.measure(*arrivals(3600, ppm, NETWORKS[network]))
    assert abs(found - ppm * 1e-6) * 3600 < 0.005


@pytest.mark.parametrize("seconds", [60, 120, 600])
def test_what_a_shorter_stream_drifts_is_known_to_10_ms(seconds):
    for ppm in (-200, -100, 0, 100, 200):
        found = skew.measure(*arrivals(seconds, ppm, NETWORKS["loopback"]))
        assert abs(found - ppm * 1e-6) * seconds < 0.010


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("seconds", [1, 10, 100, 3600])
def test_delays_are_no_skew(network, seconds):
    for seed in range(5):
        assert skew.measure(*arrivals(seconds, 0, NETWORKS[network], seed)) == 0.0


@pytest.mark.parametrize("step_ms", [-40, -15, 15, 40])
@pytest.mark.parametrize("at", [0.2, 0.5, 0.8])
def test_another_route_is_no_skew(step_ms, at):
    def network(rng, sent):
        return 50e6 + rng.exponential(1e6, len(sent)) + step_ms * 1e6 * (sent > at * sent[-1])

    assert skew.measure(*arrivals(600, 0, network)) == 0.0


@pytest.mark.parametrize("seconds", [40, 60, 300])
def test_a_sender_that_falls_behind_by_and_by_is_no_skew(seconds):
    def busy(rng, sent):
        behind = np.clip(sent / sent[-1] - 0.5, 0, None)
        return 30e6 * behind + rng.exponential(1e6, len(sent))

    assert skew.measure(*arrivals(seconds, 0, busy)) == 0.0


@pytest.mark.parametrize("seed", [14, 15, 144])
def test_queues_that_come_and_go_are_no_skew(seed):
    """Though these happen to lie about a line, in both halves."""

    def network(rng, sent):
        return np.repeat(rng.uniform(0, 40e6, len(sent) // 625 + 1), 625)[: len(sent)]

    assert skew.measure(*arrivals(400, 0, network, seed)) == 0.0


def test_a_short_stream_is_left_as_it_was_sent():
    assert skew.measure(*arrivals(20, 450, NETWORKS["loopback"])) == 0.0


def test_pauses_and_order_of_arrival_do_not_matter():
    elapsed, transit = arrivals(600, 150, NETWORKS["loopback"])
    kept = (elapsed // 30_000_000_000) % 3 != 1
    shuffled = np.random.default_rng(1).permutation(np.flatnonzero(kept))
    assert skew.measure(elapsed[shuffled], transit[shuffled]) == pytest.approx(150e-6, abs=2e-6)


def test_what_no_clock_does_is_left_alone():
    assert skew.measure(*arrivals(600, 5000, NETWORKS["loopback"])) == 0.0


def test_few_packets_tell_nothing():
    none = np.empty(0, np.int64)
    assert skew.measure(none, none.astype(float)) == 0.0
