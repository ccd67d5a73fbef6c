"""Random calls with a known truth: every sample of the recording stands where it was spoken."""

import numpy as np
import pytest
from support import network
from support.archive import finalise
from support.network import RATE
from support.scene import RTPMAPS, Scene

AUDIO = ("audio", tuple(network.KINDS), "sendonly")
WITHIN_MS = 20
"""By which a place may be off."""


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """Finalises a call of two legs."""
    for number, name in network.RTPMAPS.items():
        monkeypatch.setitem(RTPMAPS, number, [f"a=rtpmap:{number} {name}"])

    def record(legs, seconds):
        scene = Scene()
        scene.offer(0, AUDIO, AUDIO)
        for leg, made in enumerate(legs):
            for when_ns, index in made.arrivals:
                scene.rtp(when_ns / 1e6, leg, made.datagrams[index])
        scene.bye(seconds * 1000 + 1000)
        return finalise(scene.write(tmp_path / "1.pcap"))

    return record


def check_facts(made, facts):
    assert (facts.packets, facts.lost, facts.duplicates) == (sum(made.kept), made.lost, made.duplicates)
    assert (facts.strays, facts.strangers, facts.damaged, facts.malformed) == (0, 0, 0, {})


def exact_call(seed, seconds, recorded):
    rng = np.random.default_rng(seed)
    kinds = [network.KINDS[(2 * seed + leg) % len(network.KINDS)] for leg in range(2)]
    legs = [network.stream(rng, seconds, kind=kind, lines=int(rng.integers(1, 5))) for kind in kinds]
    recording = recorded(legs, seconds)
    for made, sound in zip(legs, recording.legs, strict=True):
        if made.lossy:
            assert not network.offsets(made, sound.samples, reach=1).any()
        else:
            np.testing.assert_array_equal(sound.samples, network.exact(made, (seconds + 1) * RATE))
        assert sound.facts.skew_ppm == 0
        check_facts(made, sound.facts)


def skewed_call(seed, seconds, recorded):
    rng = np.random.default_rng(seed)
    legs = [network.stream(rng, seconds, ppm=float(rng.uniform(-200, 200)), lines=1) for _ in range(2)]
    recording = recorded(legs, seconds)
    for made, sound in zip(legs, recording.legs, strict=True):
        assert np.abs(network.offsets(made, sound.samples, made.rate // 20)).max() <= WITHIN_MS
        assert abs(sound.facts.skew_ppm - made.ppm) * 1e-6 * seconds <= 0.010
        check_facts(made, sound.facts)


@pytest.mark.parametrize("seed", range(8))
def test_every_sample_is_in_its_place(seed, recorded):
    exact_call(seed, 40, recorded)


@pytest.mark.parametrize("seed", range(2))
def test_every_sample_is_near_its_place_though_clocks_differ(seed, recorded):
    skewed_call(seed, 200, recorded)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(1000, 1100))
def test_every_sample_of_many_long_calls_is_in_its_place(seed, recorded):
    exact_call(seed, 200, recorded)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(1000, 1005))
def test_an_hour_stays_within_20_ms(seed, recorded):
    skewed_call(seed, 3600, recorded)
