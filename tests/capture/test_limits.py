"""Beyond its limits the recorder refuses at once, and keeps nothing of what it refused."""

from collections.abc import Callable

import pytest
from support.calls import Talk, call, make_plan
from support.recorder import Recorder, until

from srs.siprec.src import CallFailed


def refused(recorder: Recorder) -> str:
    with pytest.raises(CallFailed) as failed:
        call(make_plan(recorder, 0.1))
    return str(failed.value)


def test_one_call_at_once(start_recorder: Callable[..., Recorder]) -> None:
    recorder = start_recorder(SRS_ADMISSION__CALLS="1")
    running = Talk(make_plan(recorder, 1.5))
    until(recorder.captures, recorder.log.read_text)
    assert "503 1 calls at once" in refused(recorder)
    running.outcomes()
    recorder.recordings(1)
    call(make_plan(recorder, 0.2))
    assert len(recorder.recordings(2)) == 2
    assert recorder.captures() == []


def test_calls_in_too_quick_succession(start_recorder: Callable[..., Recorder]) -> None:
    recorder = start_recorder(SRS_ADMISSION__INVITES_PER_S="0.5")
    call(make_plan(recorder, 0.1))
    assert "503 too many calls a second from 127.0.0.1" in refused(recorder)
    assert len(recorder.recordings(1)) == 1
    assert recorder.captures() == []
