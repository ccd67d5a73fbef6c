"""A disk that lets everybody wait: a library before libc's, which delays what is written (support/slow_disk.c)."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.calls import Talk, call, make_plan
from support.heard import missing
from support.recorder import Recorder, Recorders, until

from srs.siprec.src import CallFailed

SOURCE = Path(__file__).parents[1] / "support" / "slow_disk.c"


class SlowDisk:
    """The data folder of a recorder."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.folder, self._delay = folder, folder / "delay.ms"
        self.environment = {"LD_PRELOAD": str(library), "SLOW_DISK": f"{folder}/"}

    def delay(self, milliseconds: int) -> None:
        """Of every write from now on."""
        unfinished = self._delay.with_suffix(".part")
        unfinished.write_text(str(milliseconds))
        unfinished.replace(self._delay)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> SlowDisk:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    folder = tmp_path_factory.mktemp("slow")
    library, data = folder / "slow_disk.so", folder / "data"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, SOURCE], check=True)
    data.mkdir()
    return SlowDisk(data, library)


@pytest.fixture(scope="module")
def recorders(disk: SlowDisk) -> Iterator[Recorders]:
    running = Recorders(lambda: disk.folder.parent)
    yield running
    disk.delay(0)
    running.stop()


@pytest.fixture
def recorder(recorders: Recorders, disk: SlowDisk) -> Recorder:
    disk.delay(0)
    return recorders.lend(SRS_ADMISSION__LAG_S="60", **disk.environment)


def refusal(recorder: Recorder) -> str:
    with pytest.raises(CallFailed) as failed:
        call(make_plan(recorder, 0.1))
    return str(failed.value)


def test_nothing_is_lost_while_the_disk_is_slow(recorder: Recorder, disk: SlowDisk) -> None:
    """Three calls, each write of whose packets takes 0.4 s from the first second to beyond their ends."""
    plans = [make_plan(recorder, 6.0) for _ in range(3)]
    talk = Talk(*plans)
    time.sleep(1.0)
    disk.delay(400)
    outcomes = talk.outcomes()
    disk.delay(0)
    rows = {row["call_id"]: row for row in recorder.recordings(3)}
    assert recorder.log.read_text().count("event=captured") >= 3
    for plan, outcome in zip(plans, outcomes, strict=True):
        row = rows[outcome.call_id]
        assert missing(Path(row["file"]), plan.frames) == 0
        assert [leg["lost"] for leg in row["legs"]] == [0, 0]
        assert recorder.shown(row["id"])["facts"]["interrupted"] is False
    assert "kernel dropped" not in recorder.log.read_text()


def test_a_disk_that_hangs_under_running_calls(recorder: Recorder, disk: SlowDisk) -> None:
    """They are answered and can end; new ones are refused at once; what the sockets held is written when it answers."""
    plan = make_plan(recorder, 3.0)
    talk = Talk(plan)
    time.sleep(1.0)
    disk.delay(10**6)
    until(lambda: "alarm=storage state=raised" in recorder.log.read_text(), recorder.log.read_text)
    for _ in range(3):
        assert re.search("503.*disk does not answer", refusal(recorder))
    (outcome,) = talk.outcomes()
    disk.delay(0)
    until(lambda: "alarm=storage state=cleared" in recorder.log.read_text(), recorder.log.read_text)
    call(make_plan(recorder, 0.2))
    rows = {row["call_id"]: row for row in recorder.recordings(2)}
    row = rows[outcome.call_id]
    assert missing(Path(row["file"]), plan.frames) == 0
    assert recorder.shown(row["id"])["facts"]["interrupted"] is False


def test_a_call_is_answered_while_its_capture_is_made_and_signalling_dies(recorder: Recorder, disk: SlowDisk) -> None:
    """The disk has just taken another call: its successor makes the capture, and all that came is in it."""
    plans = [make_plan(recorder, 3.0), make_plan(recorder, 3.0)]
    talks = []
    for number, plan in enumerate(plans, start=1):
        talks.append(Talk(plan))
        until(
            lambda number=number: recorder.log.read_text().count("event=recording ") == number, recorder.log.read_text
        )
        disk.delay(600)
    (pid,) = recorder.children("signalling")
    os.kill(pid, signal.SIGKILL)
    disk.delay(0)
    outcomes = [outcome for talk in talks for outcome in talk.outcomes()]
    rows = {row["call_id"]: row for row in recorder.recordings(2)}
    for plan, outcome in zip(plans, outcomes, strict=True):
        row = rows[outcome.call_id]
        assert missing(Path(row["file"]), plan.frames) == 0
        assert recorder.shown(row["id"])["facts"]["interrupted"] is False


def test_calls_are_refused_without_asking_a_disk_that_hangs(recorder: Recorder, disk: SlowDisk) -> None:
    """Whatever a refusal had to open or write, captures, database or list of refusals, would hold it up for ever."""
    disk.delay(10**6)
    until(lambda: "disk does not answer" in recorder.log.read_text(), recorder.log.read_text)
    before = set(recorder.data.rglob("*"))
    for _ in range(3):
        assert re.search("503.*disk does not answer", refusal(recorder))
    assert set(recorder.data.rglob("*")) == before
    disk.delay(0)
    until(lambda: "alarm=storage state=cleared" in recorder.log.read_text(), recorder.log.read_text)
    call(make_plan(recorder, 0.2))
    assert len(recorder.recordings(1)) == 1
