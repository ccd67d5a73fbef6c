"""A recorder as users run it, beside which processor time and memory of its processes are read."""

import contextlib
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

HOST = "127.0.0.1"
DESCRIPTORS = 100_000
PATIENCE_S = 20.0
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_OPTIONS = (
    "OPTIONS sip:srs@{0} SIP/2.0\r\nVia: SIP/2.0/UDP {0}:{1};branch=z9hG4bKopt{2};rport\r\nFrom: <sip:b@{0}>;tag=1\r\n"
    "To: <sip:srs@{0}>\r\nCall-ID: {2}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


@dataclass(frozen=True)
class Usage:
    """Of all processes of a recorder, by name: "keeper", "signalling", "capture-0", …"""

    cpu_s: dict[str, float]
    memory_kib: dict[str, int]
    """Resident, and not shared with another process: what the recorder as a whole needs."""


class Recorder:
    """Runs `srs serve` with its data in a folder."""

    def __init__(
        self,
        data: Path,
        *,
        workers: int = 1,
        processor: int | None = None,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.data = data
        self.target = (HOST, free_port())
        self._log = (data.parent / f"{data.name}.log").open("wb")
        settings = {
            "SRS_SIP__LISTEN": f"udp://{HOST}:{self.target[1]}",
            "SRS_MEDIA__WORKERS": str(workers),
            "SRS_WEB__LISTEN": "off",
            "SRS_MEDIA__PORTS": "10000-59998",
            **more,
        }
        pin = [] if processor is None else ["taskset", "-c", str(processor)]
        command = [*pin, sys.executable, "-m", "srs.cli", "serve", "--data", str(data)]
        self._process = subprocess.Popen(
            command, env={**os.environ, **settings}, stdout=self._log, stderr=self._log, preexec_fn=raise_limit
        )
        try:
            self._wait_for_answer()
        except TimeoutError:
            self.stop()
            raise

    def stop(self) -> None:
        """End it, calls and all."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(PATIENCE_S)
        self._log.close()

    def usage(self) -> Usage:
        """Read what the processes have used up to now."""
        processes = dict(self._processes())
        return Usage(
            {name: cpu_s(pid) for name, pid in processes.items()},
            {name: _memory_kib(pid) for name, pid in processes.items()},
        )

    def captures(self) -> int:
        """Count the captures that are no recordings yet."""
        return sum(1 for name in ("open", "ended") for _ in (self.data / "captures" / name).glob("*.pcap"))

    def files(self) -> dict[str, Path]:
        """Return the sound file of each recording, by Call-ID."""
        with contextlib.closing(sqlite3.connect(self.data / "recordings.sqlite")) as database:
            rows = database.execute("SELECT call_id, file FROM recording WHERE state IN ('READY', 'ready')").fetchall()
        return {call_id: self.data / "audio" / file for call_id, file in rows}

    def packets(self, calls: Collection[str]) -> int:
        """Count the packets that the recordings of some Call-IDs tell of."""
        with contextlib.closing(sqlite3.connect(self.data / "recordings.sqlite")) as database:
            asked = "SELECT call_id, packets FROM leg JOIN recording ON recording.id = leg.recording_id"
            return sum(packets for call_id, packets in database.execute(asked) if call_id in calls)

    def _processes(self) -> Iterator[tuple[str, int]]:
        yield "keeper", self._process.pid
        workers = 0
        for pid in _children(self._process.pid):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            module = next((word.decode() for word in words if word.startswith(b"srs.")), "other")
            name = module.removeprefix("srs.")
            if name == "capture.worker":
                name, workers = f"capture-{workers}", workers + 1
            yield name, pid

    def _wait_for_answer(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((HOST, 0))
            probe.settimeout(0.1)
            while time.monotonic() < deadline:
                token = os.urandom(8).hex()
                probe.sendto(_OPTIONS.format(HOST, probe.getsockname()[1], token).encode(), self.target)
                with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                    if probe.recv(65536).startswith(b"SIP/2.0 200"):
                        return
        raise TimeoutError(f"the recorder does not answer, see {self._log.name}")


@contextlib.contextmanager
def running(
    data: Path, *, workers: int = 1, processor: int | None = None, more: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Recorder]:
    """Start a recorder, and stop it at the end; `more`: its settings, as the environment has them."""
    recorder = Recorder(data, workers=workers, processor=processor, more=more)
    try:
        yield recorder
    finally:
        recorder.stop()


def raise_limit() -> None:
    """Take as many descriptors as thousands of calls need; the unit file of the recorder does the same."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(hard, DESCRIPTORS) if os.geteuid() == 0 else hard
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), wanted))


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_s(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def _memory_kib(pid: int) -> int:
    """Private memory of a process, resident."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {name.rstrip(":"): int(size) for name, size, *_ in map(str.split, lines)}
    return sizes["Private_Clean"] + sizes["Private_Dirty"]
