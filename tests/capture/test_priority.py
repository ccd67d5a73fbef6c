"""What schedules the processes is the system: it is asked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.recorder import Recorder

from srs.capture.priority import prefer_recording

NOBODY = 65534
AS_NOBODY = """
import os, sys
from srs.capture.priority import prefer_recording
os.setuid(int(sys.argv[1]))
prefer_recording()
print(os.sched_getscheduler(0))
"""


def may_be_real_time() -> bool:
    """A container's root, for one, may not."""
    prefer_recording()
    may = os.sched_getscheduler(0) == os.SCHED_RR
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return may


def policies(pid: int) -> list[int]:
    """Of the threads of a process."""
    threads = sorted(int(task.name) for task in Path(f"/proc/{pid}/task").iterdir())
    return [os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK for thread in threads]


@pytest.mark.skipif(not may_be_real_time(), reason="this user may not schedule in real time")
def test_those_that_record_are_real_time_and_others_are_not(recorder: Recorder) -> None:
    signalling, capture, handoff = (
        policies(pid) for kind in ("signalling", "capture", "handoff") for pid in recorder.children(kind)
    )
    assert policies(recorder.process.pid)[0] == capture[0] == os.SCHED_RR
    assert signalling[0] == signalling[-1] == os.SCHED_RR  # and so those that it waits for
    assert set(handoff) == {os.SCHED_OTHER}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_who_may_not_goes_on_as_before() -> None:
    command = [sys.executable, "-c", AS_NOBODY, str(NOBODY)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.stdout.strip() == str(os.SCHED_OTHER), told.stderr
