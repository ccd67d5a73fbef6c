"""What is loss, what silence, what a pause."""

import numpy as np
import pytest

from rtp.jitter import Gaps
from srs.archive.facts import losses, overlap, span

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
