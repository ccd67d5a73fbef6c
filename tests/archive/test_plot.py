"""The picture of a recording shows what is known, where it is."""

from datetime import timedelta

import pytest
from matplotlib.image import imread

from srs.archive.errors import NotReady
from srs.archive.plot import LOST, PAUSED, draw
from tests.support.archive import keep


@pytest.fixture
def recording(archive, ended):
    """10 s, of which 2 are sound: lost on the caller's leg from 2 to 3 s, paused from 5 to 7, by an operator to 8 s."""
    row = keep(archive, ended())
    row.duration_s, row.ended_at = 10.0, row.started_at + timedelta(seconds=10)
    for leg in row.legs:
        leg.facts = {**leg.facts, "pauses": [(5.0, 2.0)], "digits": []}
    row.facts = {**row.facts, "operator_pauses": [(7.0, 1.0, "user:jan")]}
    row.legs[0].facts = {**row.legs[0].facts, "gaps": [(2.0, 1.0)], "digits": [(4.0, 0.1, "5")]}
    return row


def share(image, top, bottom, colour):
    """How much of the width of a part of the picture has a colour on white, faint or full."""
    rows = image[round(len(image) * top) : round(len(image) * bottom)]
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hits = [
        (abs(rows - [alpha * each + 1 - alpha for each in (red, green, blue)]) < 0.03).all(axis=2)
        for alpha in (0.35, 0.75)
    ]
    return float((hits[0] | hits[1]).any(axis=0).mean())


def test_losses_and_pauses_are_drawn_as_long_as_they_were(archive, recording, tmp_path):
    draw(recording, archive.store, tmp_path / "1.png")
    image = imread(tmp_path / "1.png")[:, :, :3]
    upper, lower = (0.2, 0.5), (0.6, 0.85)
    assert share(image, *upper, LOST) == pytest.approx(0.1, abs=0.02)
    assert share(image, *lower, LOST) < 0.01
    assert share(image, *upper, PAUSED) == pytest.approx(0.3, abs=0.03)
    assert share(image, *lower, PAUSED) == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(("suffix", "magic"), [("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_other_kinds(archive, recording, tmp_path, suffix, magic):
    draw(recording, archive.store, tmp_path / f"1.{suffix}")
    assert (tmp_path / f"1.{suffix}").read_bytes().startswith(magic)


def test_without_sound_there_is_nothing_to_draw(archive, recording, tmp_path):
    recording.file = None
    with pytest.raises(NotReady, match="no outline"):
        draw(recording, archive.store, tmp_path / "1.png")
