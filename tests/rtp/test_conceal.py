"""What is heard instead of a loss."""

import numpy as np
import pytest

from rtp.codecs import Decoded
from rtp.conceal import extend, fill, holes
from rtp.mix import Placed


def tone(rate, frequency, seconds=0.2):
    return np.rint(9000 * np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)).astype(np.int16)


@pytest.mark.parametrize("rate", [8000, 16_000, 48_000])
@pytest.mark.parametrize("frequency", [100, 130, 210, 390])
def test_a_tone_goes_on_in_its_phase_and_fades(rate, frequency):
    sound = tone(rate, frequency)
    cut = rate // 10
    made = extend(sound[:cut], round(0.08 * rate), rate)
    wanted = sound[cut:]
    early = slice(0, rate // 100)
    assert np.corrcoef(made[early], wanted[early])[0, 1] > 0.98
    assert np.abs(made[early]).max() > 0.8 * np.abs(wanted[early]).max()
    assert np.abs(made[round(0.045 * rate) : round(0.06 * rate)]).max() < 0.35 * 9000
    assert not made[round(0.06 * rate) :].any()


def test_periods_that_follow_each_other_do_not_click():
    """Of a tone that grows by a third from one to the next, at whose crest the sound ends."""
    at = np.arange(-799, 1)
    history = np.rint(20_000 * np.exp(at / 280) * np.cos(2 * np.pi * 100 * at / 8000)).astype(np.int16)
    made = extend(history, 320, 8000).astype(int)
    assert np.abs(np.diff(made)).max() < 1.5 * np.abs(np.diff(history.astype(int))).max()
    assert np.abs(made).max() > 10_000


@pytest.mark.parametrize("history", [np.zeros(0, np.int16), np.ones(30, np.int16), np.zeros(400, np.int16)])
def test_there_is_nothing_to_go_on_with(history):
    assert not extend(history, 160, 8000).any()


def test_the_loudest_sound_does_not_wrap():
    loud = np.tile(np.array([32767] * 40 + [-32768] * 40, np.int16), 10)
    made = extend(loud, 80, 8000).astype(int)
    assert (made[:40] > 30_000).all()
    assert (made[41:80] < -30_000).all()


def placed(*positions, counts=160):
    sound = tone(8000, 200, 0.02 * len(positions))
    return Placed(Decoded(sound, np.full(len(positions), counts), 8000), np.array(positions))


def test_only_losses_are_filled_and_for_no_longer_than_60_ms():
    each = placed(0, 160, 480, 960, 2000)
    before, room = holes(each, np.array([False, False, True, False, True]))
    assert (before.tolist(), room.tolist()) == ([1, 3], [160, 480])
    made = fill(each, before, room)
    assert (made.positions.tolist(), made.decoded.counts.tolist()) == ([320, 1120], [160, 480])
    assert len(made.decoded.samples) == 640
    assert made.decoded.samples[:160].any()


def test_where_packets_overlap_there_is_no_hole():
    before, _ = holes(placed(0, 160, 300), np.array([False, True, True]))
    assert before.tolist() == []


def test_nothing_is_lost():
    each = placed(0, 160, 320)
    made = fill(each, *holes(each, np.zeros(3, bool)))
    assert (len(made.positions), len(made.decoded.samples)) == (0, 0)
