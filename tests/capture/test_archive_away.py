"""Calls are recorded while there is no database; their rows appear when it is back."""

from collections.abc import Callable
from pathlib import Path

from support.calls import call, make_plan
from support.recorder import Recorder, until


def test_rows_appear_when_the_database_is_back(start_recorder: Callable[..., Recorder], tmp_path: Path) -> None:
    folder = tmp_path / "database"
    folder.write_text("a file where a folder should be")
    recorder = start_recorder(SRS_DATABASE__URL=f"sqlite:///{folder}/recordings.sqlite")
    outcomes = call(make_plan(recorder, 0.5), make_plan(recorder, 0.5))
    until(lambda: [path.parent.name for path in recorder.captures()] == ["ended"] * 2, recorder.log.read_text)
    until(lambda: "alarm=archive" in recorder.log.read_text(), recorder.log.read_text)
    folder.unlink()
    folder.mkdir()
    recordings = recorder.recordings(2)
    assert {recording["call_id"] for recording in recordings} == {outcome.call_id for outcome in outcomes}
    assert recorder.captures() == []
    until(lambda: "state=cleared" in recorder.log.read_text(), recorder.log.read_text)
