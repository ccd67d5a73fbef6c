"""The first sender of an SSRC holds it."""

import numpy as np
import pytest

from rtp.lock import trusted

SECOND = 1_000_000_000


def believed(*packets, releases=()):
    """Which of the packets, given as (sender, seconds), are believed."""
    sender, seconds = zip(*packets, strict=True) if packets else ((), ())
    time_ns = (np.array(seconds, float) * SECOND).astype(np.int64)
    mask = trusted(np.array(sender, np.int64), time_ns, (np.array(releases, float) * SECOND).astype(np.int64))
    return "".join("+" if item else "-" for item in mask)


@pytest.mark.parametrize(
    ("packets", "expected"),
    [
        pytest.param([], "", id="none"),
        pytest.param([(7, 0), (7, 1), (7, 9)], "+++", id="one sender"),
        pytest.param([(7, 0), (3, 0.01), (7, 0.02), (3, 0.03), (9, 0.04), (7, 0.05)], "+-+--+", id="strangers"),
        pytest.param([(7, 0), (3, 0.5), (3, 1.9), (3, 2.0), (3, 2.1)], "+--++", id="takes over after silence"),
        pytest.param([(7, 0), (3, 2.5), (7, 2.6), (3, 2.7), (7, 4.8)], "++-++", id="and is the holder then"),
    ],
)
def test_who_is_believed(packets, expected):
    assert believed(*packets) == expected


def test_a_new_offer_lets_another_sender_in_at_once():
    packets = [(7, 0), (3, 0.1), (3, 0.3), (7, 0.31), (3, 0.4)]
    assert believed(*packets, releases=[0.2]) == "+-+-+"
    assert believed(*packets, releases=[]) == "+--+-"
