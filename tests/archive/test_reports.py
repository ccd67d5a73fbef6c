"""Legs whose ways take differently long: where they stand by their sender reports, and when these are not believed."""

import struct
from dataclasses import dataclass, replace

import numpy as np
import pytest
from support.scene import AUDIO, CLIENT, HERE, MS, PORTS, START_NS, THERE, Scene, speech, stream, truth

from srs.archive.finalise import AS_IT_CAME, finalise
from srs.archive.treatment import Treatment

SECONDS = 12.0
DAY_S = 86_400
KEY = 101
TIMESTAMP = 2**32 - 5000


@dataclass(frozen=True)
class Leg:
    """One sender."""

    delay_ms: float
    """Of its way to the recorder."""
    cname: str = "sbc@192.0.2.1"
    clock_s: float = -3 * DAY_S
    """By which its clock is off."""
    every_ms: float = 2500.0
    """Between its reports."""
    step_ms: float = 0.0
    """By which its clock is set forward from one report to the next."""
    source: tuple[str, int] | None = None
    """Where its reports come from; None: the port above its RTP."""
    begin_ms: int = 200
    """When its party begins to speak."""
    key_ms: int | None = None
    """When a key is pressed."""


def compound(leg: Leg, spoken_ms: float, ssrc: int) -> bytes:
    """A sender report of a moment, with SDES."""
    clock_ns = START_NS + round(spoken_ms * MS) + round(leg.clock_s * 1e9)
    seconds, rest = divmod(clock_ns, 10**9)
    ntp = (seconds + 2_208_988_800 & 0xFFFFFFFF) << 32 | -(-(rest << 32) // 10**9)
    timestamp = (TIMESTAMP + round((spoken_ms - leg.begin_ms) * 8)) % (1 << 32)
    name = leg.cname.encode()
    chunk = struct.pack("!IBB", ssrc, 1, len(name)) + name
    chunk += bytes(4 - len(chunk) % 4)
    report = struct.pack("!BBHIQIII", 0x80, 200, 6, ssrc, ntp, timestamp, 1, 160)
    return report + struct.pack("!BBH", 0x81, 202, len(chunk) // 4) + chunk


def event(datagram: bytes) -> bytes:
    """A key of 20 ms that ends, under the numbers of another packet (RFC 4733 §2.3)."""
    return datagram[:1] + bytes([0x80 | KEY]) + datagram[2:12] + struct.pack("!BBH", 5, 0x8A, 160)


def sent(leg: Leg, index: int, codes: np.ndarray):
    """When each datagram of a leg arrives, at RTP or RTCP: (ms, octets, 0 or 1)."""
    for number, datagram in enumerate(stream(codes, ssrc=index + 1, timestamp=TIMESTAMP)):
        if leg.begin_ms + 20 * number == leg.key_ms:  # in its stead, of 20 ms that have ended
            yield leg.key_ms + 20, event(datagram), 0
        else:
            yield leg.begin_ms + 20 * number, datagram, 0
    for number, spoken_ms in enumerate(np.arange(1000, 12_000, leg.every_ms).tolist()):
        told = replace(leg, clock_s=leg.clock_s + number * leg.step_ms / 1000)
        yield spoken_ms, compound(told, spoken_ms, index + 1), 1


@pytest.fixture
def recorded(tmp_path):
    """Finalises a call; gives it, and the codes that each party spoke."""

    def record(*legs: Leg, treatment=AS_IT_CAME):
        scene, codes = Scene(), [speech(SECONDS, seed) for seed in range(len(legs))]
        scene.offer(0, *[AUDIO] * len(legs))
        for index, leg in enumerate(legs):
            for ms, datagram, control in sent(leg, index, codes[index]):
                source = leg.source if control and leg.source else (THERE, CLIENT[1 + index] + control)
                scene.datagram(ms + leg.delay_ms, datagram, source, (HERE, PORTS[index] + control))
        scene.bye(13_000)
        (recording,) = finalise(scene.write(tmp_path / "1.pcap"), treatment)
        return recording, codes

    return record


def check(recorded_, *at_ms):
    """Every sample of every leg stands at its place."""
    recording, codes = recorded_
    for leg, spoken, begin in zip(recording.legs, codes, at_ms, strict=True):
        wanted = truth(spoken, 0, begin, len(leg.samples) / 8000)
        np.testing.assert_array_equal(leg.samples, wanted)


@pytest.mark.parametrize("clock_s", [0.0, -3 * DAY_S, 5000 * DAY_S, 0.123456], ids=["", "past", "wrapped", "near"])
@pytest.mark.parametrize("delays", [(4, 130), (400, 4), (5, 5)])
def test_legs_stand_where_their_reports_say(recorded, delays, clock_s):
    made = recorded(*(Leg(delay, clock_s=clock_s) for delay in delays))
    quickest = min(delays)
    check(made, *[200 + quickest] * 2)
    assert [leg.facts.early_ms for leg in made[0].legs] == pytest.approx([delay - quickest for delay in delays])
    assert {leg.facts.lost for leg in made[0].legs} == {0}


def test_three_legs_of_which_one_has_another_clock(recorded):
    check(recorded(Leg(90), Leg(60, cname="other@192.0.2.7", clock_s=1), Leg(15)), 215, 260, 215)


def test_what_was_said_before_our_200_is_heard_though_it_came_after(recorded):
    recording, codes = recorded(Leg(4), Leg(300, begin_ms=-100))
    assert recording.started_ns == START_NS - 96 * MS
    check((recording, codes), 300, 0)


@pytest.mark.parametrize(
    "leg",
    [
        Leg(130, cname="phone@198.51.100.4"),
        Leg(130, clock_s=-3 * DAY_S - 2),
        Leg(130, every_ms=90_000),
        Leg(130, step_ms=40),
        Leg(130, source=("198.51.100.4", 5005)),
        Leg(8),
    ],
    ids=["another name", "a clock two seconds off", "one report", "a clock that is set", "a forger", "near"],
)
def test_a_leg_whose_reports_are_not_believed_stands_where_it_came(recorded, leg):
    check(recorded(Leg(4), leg), 204, 200 + leg.delay_ms)


def test_keys_and_their_mask_are_where_the_sound_is(recorded):
    recording, _ = recorded(Leg(4), Leg(404, key_ms=5200), treatment=Treatment(mask_digits=True))
    (key,) = recording.legs[1].facts.digits
    assert key == (pytest.approx(5.204, abs=0.001), 0.02, "x")
    sound = recording.legs[1].samples
    assert not sound[round(5.104 * 8000) : round(5.324 * 8000)].any()
    assert sound[round(5.1 * 8000) : round(5.104 * 8000)].any()
    assert sound[round(5.324 * 8000) : round(5.328 * 8000)].any()
