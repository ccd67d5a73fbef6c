"""An announcement is found in what a telephone leaves of it, and nothing else is taken for it."""

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from support.notices import Example, examples
from support.speech import RATE, babble, music, needs_voice, say

from srs.privacy.detect import Announcement, announcement, search

TEXT = "Dit gesprek wordt opgenomen voor de training van onze medewerkers."


@dataclass
class Figures:
    """Scores of a test set."""

    present: list[float]
    absent: list[float]
    off_s: list[float]
    missed: list[str]
    false: list[str]


@cache
def _prepared(key: bytes) -> Announcement:
    return announcement(np.frombuffer(key, np.int16), RATE)


def measure(seed: int, positives: int, negatives: int) -> Figures:
    figures = Figures([], [], [], [], [])
    for example in examples(seed, positives, negatives):
        _measure(example, figures)
    return figures


def _measure(example: Example, figures: Figures) -> None:
    if example.present is not None:
        found = search(_prepared(example.present.tobytes()), example.leg, example.rate)
        figures.present.append(found.score)
        if found.heard:
            figures.off_s.append(abs(found.second - example.second))
        else:
            figures.missed.append(example.kind)
    for other in example.absent:
        found = search(_prepared(other.tobytes()), example.leg, example.rate)
        figures.absent.append(found.score)
        if found.heard:
            figures.false.append(example.kind)


@needs_voice
def test_it_is_found_where_it_is_and_nowhere_else():
    figures = measure(seed=7, positives=24, negatives=16)
    assert (figures.missed, figures.false) == ([], [])
    assert max(figures.off_s) < 0.05


@needs_voice
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_figures_on_the_whole_set():
    """Run by `make notice`, which puts the figures where NOTICE_FIGURES says."""
    figures = measure(seed=1, positives=600, negatives=600)
    told = {
        "positives": len(figures.present),
        "missed": figures.missed,
        "weakest": min(figures.present),
        "negatives": len(figures.absent),
        "false": figures.false,
        "strongest": max(figures.absent),
        "off_s": max(figures.off_s),
    }
    if target := os.environ.get("NOTICE_FIGURES"):
        Path(target).write_text(json.dumps(told, indent=2))
    assert len(figures.missed) <= 0.01 * len(figures.present), told
    assert len(figures.false) <= 0.001 * len(figures.absent), told
    assert min(len(figures.present), len(figures.absent)) >= 500


@needs_voice
def test_who_comes_in_after_half_of_it_was_not_told():
    wanted = say(TEXT)
    late = search(announcement(wanted, RATE), wanted[round(0.7 * len(wanted)) :], RATE)
    assert not late.heard


@needs_voice
@pytest.mark.parametrize(("louder", "heard"), [(1, True), (4, False)])
def test_it_is_heard_under_noise_as_loud_as_itself_and_not_under_four_times_that(louder: int, heard: bool):
    wanted = say(TEXT)
    noise = louder * babble(np.random.default_rng(5), wanted).astype(float)
    leg = np.rint((wanted + noise[: len(wanted)]) / 8).astype(np.int16)
    assert search(announcement(wanted, RATE), leg, RATE).heard is heard


@needs_voice
def test_it_is_found_at_the_end_of_a_long_leg_and_across_blocks():
    wanted = say(TEXT)
    known = announcement(wanted, RATE)
    quiet = np.random.default_rng(3).integers(-40, 40, 90 * RATE).astype(np.int16)
    for second in (5.5, 84.0):
        leg = quiet.copy()
        at = round(second * RATE)
        leg[at : at + len(wanted)] += wanted
        found = search(known, leg, RATE)
        assert (found.score, found.second) == (1.0, pytest.approx(second, abs=0.03))


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_any_rate(rate: int):
    wanted = music(np.random.default_rng(1), 4)
    places = np.arange(round(6 * rate)) * RATE / rate - RATE
    leg = np.rint(np.interp(places, np.arange(len(wanted)), wanted, 0, 0)).astype(np.int16)
    found = search(announcement(wanted, RATE), leg, rate)
    assert found.score == 1.0
    assert found.second == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("leg", [np.zeros(0, np.int16), np.zeros(4000, np.int16), np.full(80000, -32768, np.int16)])
def test_there_is_nothing_in_nothing(leg: np.ndarray):
    wanted = announcement(music(np.random.default_rng(1), 4), RATE)
    assert search(wanted, leg, RATE).score == 0.0


@pytest.mark.parametrize(
    ("samples", "reason"), [(np.ones(8000, np.int16), "too short"), (np.zeros(80000, np.int16), "no sound")]
)
def test_what_cannot_be_recognised_is_refused(samples: np.ndarray, reason: str):
    with pytest.raises(ValueError, match=reason):
        announcement(samples, RATE)
