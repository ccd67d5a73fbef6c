import os

import pytest

from srs.capture import folder
from srs.siprec.headers import FAR, Side


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


@pytest.mark.parametrize("first", [True, False], ids=["near", "far"])
def test_the_legs_of_a_call_are_named_alike_whichever_comes_first(tmp_path, first) -> None:
    folder.prepare(tmp_path)
    one, other = Side(first, "1-2", ""), Side(not first, "1-2", "")
    stranger = {"f" * 32: Side(not first, "8-9", "")}
    name = folder.new_leg(tmp_path, one, stranger)
    names = {name, folder.new_leg(tmp_path, other, {name: one, **stranger})}
    assert {each.removesuffix(FAR) for each in names} == {name.removesuffix(FAR)}
    assert [each for each in names if each.endswith(FAR)] == [min(names, key=len) + FAR]


@pytest.mark.parametrize("place", [folder.open_path, folder.ended_path])
def test_a_leg_that_comes_again_takes_no_name_that_is_in_use(tmp_path, place) -> None:
    folder.prepare(tmp_path)
    near, far = Side(True, "1-2", ""), Side(False, "1-2", "")
    os.close(folder.create(place(tmp_path, "a1")))
    again = folder.new_leg(tmp_path, near, {"a1-far": far})
    assert again != "a1"
    assert len(again) == 32
