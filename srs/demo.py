"""`make demo`: a recorder of its own on free loopback ports, one call from captures/, and what became of it.

On a terminal it keeps serving until Ctrl-C.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

HERE = Path(__file__).parent.parent
AUDIO = (HERE / "captures" / "caller.wav", HERE / "captures" / "callee.wav")
SRS = [sys.executable, "-m", "srs.cli"]
PATIENCE_S = 30.0


def main() -> int:
    console = Console()
    port, web = _free_port(), f"https://127.0.0.1:{_free_port()}"
    data = HERE / "data" / "demo"
    os.environ["SRS_SIP__LISTEN"] = f"udp://127.0.0.1:{port},tcp://127.0.0.1:{port}"
    os.environ["SRS_WEB__LISTEN"] = web
    with _recorder(data):
        console.print(f"Recorder listening on 127.0.0.1:{port}, UDP and TCP; its data is in {data}")
        console.print("A call of 10 s is being recorded …")
        call = [
            *SRS,
            "call",
            f"127.0.0.1:{port}",
            "--caller",
            "sip:alice@example.com",
            "--callee",
            "sip:bob@example.com",
        ]
        subprocess.run([*call, *(word for path in AUDIO for word in ("--audio", str(path)))], check=True)
        recording = _finished(data)
        _show(console, recording)
        _tell_pages(console, web, data)
        if sys.stdin.isatty() and sys.stdout.isatty():
            _keep_serving(console, port, data)
    return 0


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _recorder(data: Path) -> Iterator[None]:
    """A recorder that answers; stopped at the end."""
    data.mkdir(parents=True, exist_ok=True)
    log = data / "recorder.log"
    with log.open("ab") as out:
        process = subprocess.Popen([*SRS, "serve", "--data", str(data)], stderr=out, start_new_session=True)
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_S)


def _finished(data: Path) -> dict[str, Any]:
    """The newest recording, when it is in the archive."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        done = subprocess.run(
            [*SRS, "list", "--json", "--limit", "1", "--data", str(data)], check=True, capture_output=True
        )
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[0])
        if found["state"] in ("ready", "failed"):
            return found
        time.sleep(0.2)
    sys.exit(f"The recording did not get ready in {PATIENCE_S:.0f} s; see {data / 'recorder.log'}")


def _show(console: Console, recording: dict[str, Any]) -> None:
    console.print(f"\nRecorded: {recording['file']}", soft_wrap=True)
    console.print(
        f"{recording['duration_s']:.2f} s, {recording['bytes']} octets, SHA-256 {recording['sha256']}", soft_wrap=True
    )
    for channel, leg in zip(("left ", "right"), recording["legs"], strict=False):
        console.print(f"  {channel}  {leg['aor']}  {leg['codec']}, {leg['packets']} packets, {leg['lost']} lost")


def _tell_pages(console: Console, web: str, data: Path) -> None:
    """Where the pages are, and how to get in while nobody has."""
    console.print(f"\nWeb pages: {web}  (their certificate is the recorder's own)", soft_wrap=True)
    for word in (data / "recorder.log").read_text().split():
        if word.startswith("one_time_password="):
            console.print(f"           the first sign-in: admin, {word.partition('=')[2]}")


def _keep_serving(console: Console, port: int, data: Path) -> None:
    console.print(f"\nStill serving; try: .venv/bin/srs call 127.0.0.1:{port}    Ctrl-C stops.")
    console.print(f"                    .venv/bin/srs list --data {data}")
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


if __name__ == "__main__":
    sys.exit(main())
