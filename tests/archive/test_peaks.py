"""The outline comes with the sound and goes with it."""

from datetime import UTC, datetime

import numpy as np
from support.stand_in import RATE, channels, finalise

from rtp import peaks as maths
from srs.archive import catalogue, peaks
from tests.support.archive import keep


def test_the_outline_is_that_of_the_sound(archive, ended):
    capture = ended()
    samples, _ = channels(finalise(capture)[0])
    row = keep(archive, capture)
    found = peaks.load(archive.store, row.file)
    np.testing.assert_array_equal(found.values, maths.of(samples, RATE).values)


def test_the_outline_is_deleted_with_the_sound(archive, ended):
    row = keep(archive, ended())
    catalogue.delete(archive.engine, archive.store, archive.data_dir, row.id, datetime.now(UTC))
    assert peaks.load(archive.store, row.file) is None
    assert archive.store.size(row.file + peaks.SUFFIX) is None


def test_a_damaged_outline_is_none(archive, ended):
    row = keep(archive, ended())
    (archive.store.root / (row.file + peaks.SUFFIX)).write_bytes(b"PEAK")
    assert peaks.load(archive.store, row.file) is None
