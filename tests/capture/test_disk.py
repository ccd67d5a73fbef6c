"""A disk that fills up, or that nothing can be written to: real file systems of a few megabytes."""

import atexit
import contextlib
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.calls import Talk, call, make_plan
from support.heard import missing
from support.recorder import Recorder, until

from srs.siprec.src import CallFailed

MEGABYTE = 1 << 20


@contextlib.contextmanager
def mounted(where: Path, command: list[str]) -> Iterator[None]:
    """Mount something, and unmount it when the test is over, however it ends: pytest's clean-up would fail on it."""
    unmount = ["umount", "-l", str(where)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("file systems can be mounted by root only")
    atexit.register(subprocess.run, unmount, check=False, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(unmount, check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB."""
    where = tmp_path / "data"
    where.mkdir()
    with mounted(where, ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(where)]):
        yield where


@pytest.fixture
def recorder(start_recorder: Callable[..., Recorder], disk: Path) -> Recorder:
    return start_recorder(data=disk, SRS_ADMISSION__LEAST_FREE_MB="1")


def fill(disk: Path, leave: int = 0) -> Path:
    """Take what is free, but for `leave` octets; also what short-lived files, the recorder's trials, leave behind."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        for _ in range(20):
            free, taken = os.statvfs(disk), os.fstat(file.fileno()).st_size
            more = free.f_bavail * free.f_frsize - leave
            with contextlib.suppress(OSError):
                if more > 0:
                    os.posix_fallocate(file.fileno(), taken, more)
            time.sleep(0.01)
    return ballast


def alarms(recorder: Recorder) -> list[str]:
    """Whether raised or cleared, each time the log has the alarm of the storage."""
    return re.findall(r"event=alarm alarm=storage state=(\S+)", recorder.log.read_text())


def wait_for(recorder: Recorder, *wanted: str) -> None:
    """Until the alarm of the storage was in these states."""
    until(lambda: alarms(recorder) == list(wanted), lambda: f"{alarms(recorder)}\n{recorder.log.read_text()}")


def refusal(recorder: Recorder) -> str:
    with pytest.raises(CallFailed) as failed:
        call(make_plan(recorder, 0.2))
    return str(failed.value)


def test_a_full_disk_takes_no_calls_until_there_is_room(recorder: Recorder, disk: Path) -> None:
    ballast = fill(disk, leave=MEGABYTE // 2)
    wait_for(recorder, "raised")
    assert re.search("503.*disk full", refusal(recorder))
    assert recorder.captures() == []
    ballast.unlink()
    wait_for(recorder, "raised", "cleared")
    call(make_plan(recorder, 0.5))
    recorder.recordings(1)


def test_a_call_keeps_what_fits_and_says_what_is_missing(recorder: Recorder, disk: Path) -> None:
    """The disk is full for seconds 2 to 4 and beyond the BYE; room comes later."""
    assert recorder.listed() == []  # so the database is there
    running = Talk(make_plan(recorder, 5.0))
    time.sleep(2.0)
    ballast = fill(disk)
    running.outcomes()
    time.sleep(2.0)
    assert recorder.listed()[0]["state"] == "recording"  # its end waits for the disk
    ballast.unlink()
    (recording,) = recorder.recordings(1)
    assert recording["state"] == "ready"
    assert recording["duration_s"] == pytest.approx(5.0, abs=0.1)  # so the BYE is in it
    facts = recorder.shown(recording["id"])
    assert facts["facts"]["interrupted"] is False
    (missing,) = [re.fullmatch(r"write-failed;records=(\d+)", event) for _, event in facts["facts"]["events"]]
    kept = sum(leg["packets"] for leg in recording["legs"])
    assert 100 < kept < 400
    assert kept + int(missing[1]) == 500
    assert facts["leg_facts"][0]["seconds"] == pytest.approx(recording["legs"][0]["packets"] * 0.02)
    wait_for(recorder, "raised", "cleared")


@pytest.fixture
def failing_disk(tmp_path: Path) -> Iterator[Path]:
    """An ext4 of 16 MB, which `break_` makes read-only as an error of the device does."""
    image, where = tmp_path / "image", tmp_path / "failing"
    where.mkdir()
    with image.open("wb") as file:
        file.truncate(16 * MEGABYTE)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    with mounted(where, ["mount", "-o", "loop", str(image), str(where)]):
        yield where


def break_(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,abort", str(disk)], check=True)


def test_a_disk_that_becomes_read_only(start_recorder: Callable[..., Recorder], failing_disk: Path) -> None:
    """New calls are refused, the one under way is answered to its end, and what is on the disk is read again later."""
    recorder = start_recorder(data=failing_disk, SRS_ADMISSION__LEAST_FREE_MB="1")
    running = Talk(make_plan(recorder, 4.0))
    time.sleep(2.0)
    break_(failing_disk)
    time.sleep(0.5)
    assert "503" in refusal(recorder)
    assert "Read-only file system" in refusal(recorder)
    running.outcomes()
    wait_for(recorder, "raised")
    assert recorder.process.poll() is None
    assert "process died" not in recorder.log.read_text()
    (capture,) = recorder.captures()
    assert capture.parent.name == "open"
    assert capture.stat().st_size > 50 * 172


def test_a_capture_that_could_not_be_made_behind_the_200_is_made_later(start_recorder: Callable[..., Recorder]) -> None:
    """The disk had just taken another call: nothing that came meanwhile is missing."""
    recorder = start_recorder()
    captures = recorder.data / "captures" / "open"
    plans = [make_plan(recorder, 3.0), make_plan(recorder, 3.0)]
    first = Talk(plans[0])
    until(lambda: "event=recording " in recorder.log.read_text(), recorder.log.read_text)
    captures.rename(captures.with_name("away"))
    second = Talk(plans[1])
    wait_for(recorder, "raised")
    captures.with_name("away").rename(captures)
    (outcome,) = second.outcomes()
    first.outcomes()
    (row,) = [row for row in recorder.recordings(2) if row["call_id"] == outcome.call_id]
    assert missing(Path(row["file"]), plans[1].frames) == 0
    assert recorder.shown(row["id"])["facts"]["interrupted"] is False
