import os

import pytest

from srs.capture import folder


def test_a_capture_goes_from_open_to_ended(tmp_path) -> None:
    folder.prepare(tmp_path)
    recording = folder.new_id()
    path = folder.open_path(tmp_path, recording)
    os.close(folder.create(path))
    with pytest.raises(FileExistsError):
        folder.create(path)
    assert folder.left_over(tmp_path, {recording}) == []
    assert folder.left_over(tmp_path, set()) == [recording]
    folder.end(tmp_path, recording)
    folder.end(tmp_path, recording)  # told twice, done once
    assert not path.exists()
    assert folder.ended_path(tmp_path, recording).exists()


def test_captures_are_nobody_elses_business(tmp_path) -> None:
    folder.prepare(tmp_path)
    path = folder.open_path(tmp_path, folder.new_id())
    os.close(folder.create(path))
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_ids_cannot_be_guessed() -> None:
    ids = {folder.new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(each) == 32 for each in ids)
