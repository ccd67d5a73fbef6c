"""What schedules the processes is the system: it is asked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.capture.test_keeper import child

NOBODY = 65534
AS_NOBODY = """
import os, sys
from srs.capture.priority import prefer_recording
os.setuid(int(sys.argv[1]))
prefer_recording()
print(os.sched_getscheduler(0))
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may have these priorities, and become another")


def policies(pid: int | None) -> list[int]:
    """Of the threads of a process."""
    assert pid is not None
    threads = sorted(int(task.name) for task in Path(f"/proc/{pid}/task").iterdir())
    return [os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK for thread in threads]


def test_those_that_record_are_real_time_and_others_are_not(recorder) -> None:
    signalling = policies(child(recorder, "signalling"))
    assert policies(recorder.process.pid)[0] == policies(child(recorder, "capture"))[0] == os.SCHED_RR
    assert signalling[0] == signalling[-1] == os.SCHED_RR  # and so those that it waits for
    assert set(policies(child(recorder, "handoff"))) == {os.SCHED_OTHER}


def test_who_may_not_goes_on_as_before() -> None:
    command = [sys.executable, "-c", AS_NOBODY, str(NOBODY)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.stdout.strip() == str(os.SCHED_OTHER), told.stderr
