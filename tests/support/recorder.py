"""A recorder as users run it: `srs serve` in its own process, on free loopback ports."""

import contextlib
import itertools
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import databases
from support.commands import command

from srs.sip.address import host_port

SRS = [sys.executable, "-m", "srs.cli"]
PATIENCE_S = 60.0
MOMENT_S = 3.0
MODULES = {
    "signalling": "srs.capture.signalling",
    "capture": "srs.capture.worker",
    "handoff": "srs.assembly",
    "web": "srs.web.server",
}
"""What the keeper starts, by the name it gives each."""
OPTIONS = """\
OPTIONS sip:srs@{host} SIP/2.0
Via: SIP/2.0/UDP {local};branch=z9hG4bK{token};rport
From: <sip:test@{host}>;tag=1
To: <sip:srs@{host}>
Call-ID: {token}
CSeq: 1 OPTIONS
Max-Forwards: 70
Content-Length: 0

""".replace("\n", "\r\n")


WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 5
"""Each process of pytest has ports of its own, all outside the range that Linux takes those from that anybody may have:
an address that was free a moment ago still is."""
_RECORDERS, _SERVERS = itertools.count(), itertools.count()


def media_ports() -> str:
    """Of one recorder: sipp sends to the port beside the first of a call, whosever that is."""
    first = 10_000 + 4_400 * WORKER + 1_100 * (next(_RECORDERS) % 4)
    return f"{first}-{first + 1_098}"


class Recorder:
    """A running recorder."""

    def __init__(self, data: Path, host: str, environment: dict[str, str]) -> None:
        self.data, self.host, self.port = data, host, free_port(host)
        listen = ",".join(f"{transport}://{host_port((host, self.port))}" for transport in ("udp", "tcp"))
        self.secure_port = free_port(host)
        if "SRS_TLS__KEY" in environment:
            listen += f",tls://{host_port((host, self.secure_port))}"
        own = {"SRS_SIP__LISTEN": listen, "SRS_MEDIA__WORKERS": "1", "SRS_WEB__LISTEN": "off"}
        own["SRS_MEDIA__PORTS"] = media_ports()
        self.environment = {**os.environ, **own, **environment}
        self.log = data.parent / f"{data.name}.log"
        self.past: set[str] = set()
        """Ids of recordings that are forgotten."""
        if not data.exists():  # the recorder would make it and its tables itself, which takes longer
            data.mkdir(mode=0o700)
            databases.sqlite(data / "recordings.sqlite")
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as out:
            command = [*SRS, "serve", "--data", str(self.data)]
            self.process = subprocess.Popen(command, env=self.environment, stderr=out, stdout=out)
        try:
            until(self._answers, lambda: f"the recorder does not answer:\n{self.log.read_text()}")
        except AssertionError:
            self.stop()
            raise

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with udp(self.host) as probe:
            probe.settimeout(0.2)
            local = host_port(probe.getsockname()[:2])
            probe.sendto(
                OPTIONS.format(
                    host=host_port((self.host, self.port)), local=local, token=secrets.token_hex(8)
                ).encode(),
                (self.host, self.port),
            )
            with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                return probe.recv(65535).startswith(b"SIP/2.0 200")
        return False

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)  # none, if it is over
        return self.process.wait(PATIENCE_S)

    def children(self, kind: str) -> list[int]:
        """The ids of its processes of a kind."""
        command = ["ps", "--ppid", str(self.process.pid), "-o", "pid=,args="]
        lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
        return [int(line.split()[0]) for line in lines if f"-m {MODULES[kind]} " in line]

    def kill(self, kind: str) -> int:
        """Kill the process of a kind; its id."""
        (pid,) = self.children(kind)
        os.kill(pid, signal.SIGKILL)
        return pid

    def run(self, *words: str) -> str:
        """What an `srs` command says that goes well on the recorder's data."""
        status, out, err = self.command(*words)
        assert status == 0, err
        return out

    def command(self, *words: object) -> tuple[int, str, str]:
        """An `srs` command on the recorder's data: exit status, standard output, standard error."""
        return command(self.environment, *words, "--data", self.data)

    def listed(self) -> list[dict[str, Any]]:
        rows = [json.loads(line) for line in self.run("list", "--json").splitlines()]
        return [row for row in rows if row["id"] not in self.past]

    def recordings(self, count: int) -> list[dict[str, Any]]:
        """The recordings, when so many are ready."""
        found: list[dict[str, Any]] = []

        def ready() -> bool:
            found[:] = self.listed()
            return len(found) >= count and all(row["state"] in ("ready", "failed") for row in found)

        until(ready, lambda: f"{count} recordings expected: {found}\n{self.log.read_text()}")
        return found

    def shown(self, recording: str) -> dict[str, Any]:
        """All facts of a recording."""
        return dict(json.loads(self.run("show", recording, "--json")))

    def is_idle(self) -> bool:
        """Whether it runs and no call is left; what has just ended has its time to reach the archive."""
        since = time.monotonic()
        while self.process.poll() is None:
            folders = {path.parent.name for path in self.captures()}
            if not folders:
                return True
            if time.monotonic() > since + (MOMENT_S if "open" in folders else PATIENCE_S):
                return False
            time.sleep(0.05)
        return False

    def forget(self) -> None:
        """Be as new: what was recorded and logged so far is not there any more."""
        self.past.update(row["id"] for row in self.listed())
        os.truncate(self.log, 0)

    def captures(self) -> list[Path]:
        return sorted((self.data / "captures").glob("*/*.pcap"))


class Recorders:
    """Recorders that tests use one after another: one for each host and settings, the last two of them running."""

    def __init__(self, new_folder: Callable[[], Path]) -> None:
        self._new_folder = new_folder
        self._running: dict[object, Recorder] = {}

    def lend(self, host: str = "127.0.0.1", **environment: str) -> Recorder:
        """One that is as new. A test may do with it what it wants; after the worst the next gets another."""
        kind = (host, *sorted(environment.items()))
        recorder = self._running.pop(kind, None)
        if recorder is not None and recorder.is_idle():
            recorder.forget()
        else:
            if recorder is not None:
                recorder.stop()
            recorder = Recorder(self._new_folder() / "data", host, environment)
        self._running[kind] = recorder
        while len(self._running) > 2:
            self._running.pop(next(iter(self._running))).stop()
        return recorder

    def stop(self) -> None:
        for recorder in self._running.values():
            recorder.stop()


def until(condition: Callable[[], bool], message: Callable[[], str]) -> None:
    """Wait until it holds. What takes long to ask is asked less often: others compute meanwhile."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        asked = time.monotonic()
        if condition():
            return
        assert asked < deadline, message()
        time.sleep(max(0.03, 2 * (time.monotonic() - asked)))


def udp(host: str) -> socket.socket:
    sock = socket.socket(_family(host), socket.SOCK_DGRAM)
    sock.bind((host, 0))
    return sock


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def free_port(host: str) -> int:
    """A port that is free for UDP and for TCP."""
    while True:
        port = 63_000 + 500 * WORKER + next(_SERVERS) % 500
        family = _family(host)
        with (
            contextlib.suppress(OSError),
            socket.socket(family, socket.SOCK_DGRAM) as one,
            socket.socket(family, socket.SOCK_STREAM) as other,
        ):
            one.bind((host, port))
            other.bind((host, port))
            return port
