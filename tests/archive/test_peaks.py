"""The outline comes with the sound and goes with it."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from support.stand_in import RATE, channels, finalise

from rtp import peaks as maths
from srs.archive import catalogue, peaks
from srs.archive.errors import Sealed
from srs.archive.seal import Keys
from srs.archive.verdict import Verdict
from tests.support.archive import keep


def test_the_outline_is_that_of_the_sound(archive, ended):
    capture = ended()
    columns = channels(finalise(capture)[0]).columns
    row = keep(archive, capture)
    found = peaks.load(archive.store, row.file)
    np.testing.assert_array_equal(found.values, maths.of(columns, RATE).values)


def test_the_outline_is_deleted_with_the_sound(archive, ended):
    row = keep(archive, ended())
    catalogue.delete(archive.engine, archive.store, archive.data_dir, row.id, datetime.now(UTC))
    assert peaks.load(archive.store, row.file) is None
    assert archive.store.size(row.file + peaks.SUFFIX) is None


def test_a_damaged_outline_is_none(archive, ended):
    row = keep(archive, ended())
    (archive.store.root / (row.file + peaks.SUFFIX)).write_bytes(b"PEAK")
    assert peaks.load(archive.store, row.file) is None


def test_the_outline_of_sealed_sound_is_sealed_too(archive, ended, tmp_path):
    store = replace(archive.store, keys=Keys(tmp_path / "keys"))
    store.keys.make("training")
    capture = ended()
    columns = channels(finalise(capture)[0]).columns
    row = keep(replace(archive, store=store, judge=lambda row, finalised: Verdict(key="training")), capture)
    path = store.root / (row.file + peaks.SUFFIX)
    assert path.read_bytes().startswith(b"age-encryption.org/v1")
    np.testing.assert_array_equal(peaks.load(store, row.file, row.key).values, maths.of(columns, RATE).values)
    content = path.read_bytes()
    path.write_bytes(maths.of(columns, RATE).to_bytes())  # as it was kept once
    assert peaks.load(store, row.file, row.key) is not None
    path.write_bytes(content)
    store.keys.destroy("training")
    with pytest.raises(Sealed, match="training"):
        peaks.load(store, row.file, row.key)
