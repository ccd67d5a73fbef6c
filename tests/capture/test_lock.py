import os
import signal
import subprocess
import sys

import pytest

from srs.capture import lock


def test_one_recorder_a_folder(tmp_path) -> None:
    held = lock.acquire(tmp_path)
    with pytest.raises(lock.AlreadyRunning, match=str(os.getpid())):
        lock.acquire(tmp_path)
    os.close(held)
    os.close(lock.acquire(tmp_path))


def test_the_processes_of_a_dead_keeper_are_waited_for(tmp_path) -> None:
    script = f"from srs.capture import lock; lock.acquire(__import__('pathlib').Path({str(tmp_path)!r}))"
    forked = "import os, time; pid = os.fork(); pid or (time.sleep(0.5), os._exit(0)); os._exit(0)"
    subprocess.run([sys.executable, "-c", f"{script}; {forked}"], check=True)
    with lock.lock_path(tmp_path).open() as file:
        assert not lock._try(file.fileno())  # the child of the dead process still works
    os.close(lock.acquire(tmp_path))


def test_who_is_not_there_is_told_nothing(tmp_path) -> None:
    with pytest.raises(lock.NotRunning):
        lock.tell(tmp_path, signal.SIGHUP)
    os.close(lock.acquire(tmp_path))
    with pytest.raises(lock.NotRunning):  # the process id stands there, but nobody holds the lock
        lock.tell(tmp_path, signal.SIGHUP)
