"""What each process of a recorder tells of itself while it runs: alarms, and numbers for Prometheus.

Each answers at an abstract unix socket, from memory: also when the disk is full and the database is away. The name of
the socket tells which data folder it is about; that it is of the recorder's own user is looked at by who asks.
"""

import contextlib
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import structlog

log = structlog.get_logger()

PROCESSES: Final = ("signalling", "handoff")
LARGEST: Final = 1 << 20
PATIENCE_S: Final = 2.0
AGAIN_S: Final = 0.5

News = Mapping[str, Any]
"""`alarms`: a list of `srs.alarms.Alarm` as mappings; `metrics`: text for Prometheus. Fit for JSON."""


def tell(data_dir: Path, process: str, news: Callable[[], News]) -> None:
    """Answer whoever asks how this process is, from now on as long as it lives."""
    arguments = (_address(data_dir, process), news)
    threading.Thread(target=_answer, args=arguments, name=f"state of {process}", daemon=True).start()


def _address(data_dir: Path, process: str) -> str:
    folder = data_dir.stat()
    return f"\0siprec-srs/{folder.st_dev}/{folder.st_ino}/{process}"


def _answer(address: str, news: Callable[[], News]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        _bind(listener, address)
        listener.listen()
        while True:
            end, _ = listener.accept()
            with end, contextlib.suppress(OSError):  # whoever asked is gone
                end.settimeout(PATIENCE_S)
                end.sendall(json.dumps(news()).encode())


def _bind(listener: socket.socket, address: str) -> None:
    """As soon as the process before this one is gone."""
    while True:
        with contextlib.suppress(OSError):
            listener.bind(address)
            return
        time.sleep(AGAIN_S)


def hear(data_dir: Path) -> dict[str, News]:
    """What the processes tell, by name; who does not answer is left out."""
    heard = {process: _ask(_address(data_dir, process)) for process in PROCESSES}
    return {process: news for process, news in heard.items() if news is not None}


def _ask(address: str) -> News | None:
    with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end:
        end.settimeout(PATIENCE_S)
        end.connect(address)
        _, user, _ = struct.unpack("3i", end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if user == os.geteuid():
            told: News = json.loads(b"".join(iter(lambda: end.recv(LARGEST), b"")))
            return told
    return None
