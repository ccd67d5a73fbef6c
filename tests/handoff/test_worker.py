"""The archive process."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from srs.archive.database import reading
from srs.archive.errors import StoreError
from srs.archive.keep import Archive
from srs.archive.tables import Recording
from srs.handoff.worker import LONGEST_PAUSE_S, POLL_S, keep_all, watch


def never() -> bool:
    return False


def ids(archive: Archive) -> list[str]:
    with reading(archive.engine) as session:
        return [row.id for row in session.exec(select(Recording).order_by(Recording.created_at))]


@pytest.fixture
def three(ended):
    """Captures b, a and c, in the order of their age."""
    for age, name in enumerate("bac"):
        os.utime(ended(name), (1_000_000 + age, 1_000_000 + age))


def test_the_oldest_comes_first(archive: Archive, three):
    with capture_logs() as logs:
        assert keep_all(archive, never) is None
    assert ids(archive) == ["b", "a", "c"]
    assert [(line["event"], line["recording"], line["state"]) for line in logs] == [
        ("kept", "b", "ready"),
        ("kept", "a", "ready"),
        ("kept", "c", "ready"),
    ]


def test_it_stops_after_the_one_at_hand(archive: Archive, three):
    keep_all(archive, lambda: ids(archive) == ["b"])
    assert ids(archive) == ["b"]


def test_what_cannot_be_kept_now_does_not_hold_up_the_others(archive: Archive, three, monkeypatch: pytest.MonkeyPatch):
    def refuse_b(self, key: str, content) -> None:
        if key.endswith("/b.wav"):
            raise StoreError("away")
        put(self, key, content)

    put = type(archive.store).put
    pauses: list[float] = []

    def wait(seconds: float) -> bool:
        if seconds:
            pauses.append(seconds)
            if len(pauses) == 4:
                monkeypatch.undo()  # the store is back
        return len(pauses) > 5

    monkeypatch.setattr(type(archive.store), "put", refuse_b)
    with capture_logs() as logs:
        watch(archive, wait)
    assert ids(archive) == ["a", "c", "b"]
    assert pauses == [POLL_S, 1.0, 2.0, 4.0, POLL_S, POLL_S]
    assert [line["recording"] for line in logs if line["event"] == "not kept yet"] == ["b"] * 3


def test_the_pause_grows_to_a_minute_and_no_further(archive: Archive, ended, monkeypatch: pytest.MonkeyPatch):
    def away(*_: object) -> None:
        raise StoreError("away")

    pauses: list[float] = []

    def wait(seconds: float) -> bool:
        pauses.extend([seconds] if seconds else [])
        return len(pauses) > 12

    ended()
    monkeypatch.setattr(type(archive.store), "put", away)
    watch(archive, wait)
    assert max(pauses) == pauses[-1] == LONGEST_PAUSE_S


@pytest.fixture
def start(tmp_path: Path):
    """Starts the process on a folder; it does not outlive the test."""
    with contextlib.ExitStack() as stack:

        def begin(*more: str, **options) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "srs.assembly", "--data", str(tmp_path), *more]
            process = stack.enter_context(subprocess.Popen(command, stderr=subprocess.PIPE, **options))
            stack.callback(process.kill)
            return process

        yield begin


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


@pytest.mark.parametrize("end", ["SIGTERM", "channel"])
def test_the_process_takes_captures_and_ends_when_told(tmp_path: Path, start, end: str):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ended = tmp_path / "captures" / "ended"
    ended.mkdir(parents=True)
    with ours, theirs:
        process = start("--channel", str(theirs.fileno()), pass_fds=[theirs.fileno()])
        theirs.close()
        (ended / "ab.pcap").write_bytes(b"no capture")
        wait_for(tmp_path / "captures" / "failed" / "ab.pcap")
        assert os.getpriority(os.PRIO_PROCESS, process.pid) >= 10
        if end == "SIGTERM":
            process.send_signal(signal.SIGTERM)
        else:
            ours.close()
        _, log = process.communicate(timeout=10)
    assert process.returncode == 0
    assert b"event=kept" in log
    assert b"state=failed" in log
    assert b"recording=ab" in log
    assert log.count(b"\n") == 1
