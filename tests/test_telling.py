"""What processes tell of themselves."""

import socket
import subprocess
import sys
from pathlib import Path

from support.recorder import until

from srs.telling import _address, hear, tell


def test_what_each_process_of_a_data_folder_tells_is_heard(tmp_path: Path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    assert hear(one) == {}
    tell(one, "signalling", lambda: {"alarms": [], "metrics": "srs_calls 1\n"})
    tell(one, "handoff", lambda: {"alarms": [{"name": "lag"}]})
    told = {"signalling": {"alarms": [], "metrics": "srs_calls 1\n"}, "handoff": {"alarms": [{"name": "lag"}]}}
    until(lambda: hear(one) == told, lambda: str(hear(one)))
    assert hear(other) == {}


def test_a_successor_tells_when_the_one_before_is_gone(tmp_path: Path):
    program = "import sys, time, pathlib; from srs.telling import tell\n"
    program += "tell(pathlib.Path(sys.argv[1]), 'handoff', lambda: {'alarms': ['old']}); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) as before:
        until(lambda: hear(tmp_path) == {"handoff": {"alarms": ["old"]}}, lambda: "nothing is told")
        tell(tmp_path, "handoff", lambda: {"alarms": ["new"]})
        assert hear(tmp_path) == {"handoff": {"alarms": ["old"]}}
        before.kill()
    until(lambda: hear(tmp_path) == {"handoff": {"alarms": ["new"]}}, lambda: str(hear(tmp_path)))


def test_who_says_nothing_is_left_out(tmp_path: Path):
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(_address(tmp_path, "handoff"))
        silent.listen()
        assert hear(tmp_path) == {}
