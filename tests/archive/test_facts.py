"""What is loss, what silence, what a pause, what one-way audio."""

from dataclasses import replace

import numpy as np
import pytest

from rtp.jitter import Gaps
from srs.archive.facts import LegFacts, losses, one_way, overlap, span

S = 1_000_000_000


def gaps(*rows):
    """Gaps given as (start, length) in seconds and packets missing."""
    start, length, missing = (np.array(column) for column in zip(*rows, strict=True))
    return Gaps((start * S).astype(np.int64), (length * S).astype(np.int64), missing.astype(np.int64))


def test_missing_packets_are_loss_and_others_silence():
    found = losses(gaps((1.0, 0.5, 25), (3.0, 2.0, 0)), 25, [])
    assert (found.lost, found.spans, found.silence_ns) == (25, [(1 * S, 3 * S // 2)], 2 * S)


@pytest.mark.parametrize(
    ("pause", "lost"),
    [
        pytest.param((10, 14), 0, id="whole"),
        pytest.param((10.5, 13.5), 0, id="but for what the client needs to stop and start"),
        pytest.param((11, 13), 50, id="half, less the slack"),
        pytest.param((13.99, 20), 150, id="hardly"),
        pytest.param((14, 20), 200, id="beside"),
    ],
)
def test_inside_a_pause_nothing_is_lost(pause, lost):
    found = losses(gaps((10.0, 4.0, 200)), 200, [(round(pause[0] * S), round(pause[1] * S))])
    assert found.lost == pytest.approx(lost, abs=1)
    assert len(found.spans) == (lost > 0)


def test_silence_inside_a_pause_is_the_pause():
    assert losses(gaps((10.0, 4.0, 0)), 0, [(11 * S, 13 * S)]).silence_ns == 2 * S


def test_missing_packets_without_a_hole_are_lost():
    assert losses(gaps((10.0, 0.0, 3)), 3, [(9 * S, 11 * S)]).lost == 3


def test_overlap_and_span():
    assert [overlap((1, 5), other) for other in ((0, 1), (0, 2), (2, 3), (4, 9), (6, 9))] == [0, 1, 1, 1, 0]
    assert span((3 * S, 4 * S + S // 2), S) == (2.0, 1.5)


HEARD = LegFacts(100, 0, 0, 0, 2.0, quality={"level_dbov": -20.0})
QUIET = LegFacts(100, 0, 0, 0, 2.0, quality={"level_dbov": None})
NOTHING = LegFacts(0, 0, 0, 0, 0.0, quality={"level_dbov": None})


@pytest.mark.parametrize(
    ("legs", "told"),
    [
        ((HEARD, HEARD), []),
        ((HEARD, NOTHING), [("2", "no packets")]),
        ((QUIET, HEARD), [("1", "silence")]),
        ((HEARD, replace(QUIET, events=100)), [("2", "no packets")]),
        ((HEARD, QUIET, NOTHING), [("2", "silence"), ("3", "no packets")]),
        ((NOTHING, QUIET), []),
        ((HEARD, replace(NOTHING, pauses=[(0.0, 10.0)])), []),
        ((HEARD, replace(QUIET, undecoded={"EVS": 100})), []),
        ((NOTHING,), []),
    ],
)
def test_one_way_is_where_one_is_heard_and_another_is_not(legs, told):
    found = one_way([(str(number), facts) for number, facts in enumerate(legs, start=1)], 10.0)
    assert [(each["label"], each["why"]) for each in found] == told
