"""The control socket: pages and commands tell the recorder what to do with a call under way.

It is a unix socket in the data folder, open to the recorder's own user. The keeper binds it and signalling answers
there, so that an order which comes while signalling is replaced waits. A connection carries one order and its answer,
each a line of JSON.
"""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

NAME: Final = "control.sock"
LARGEST: Final = 1 << 14
"""Octets of an order or an answer."""
PATIENCE_S: Final = 15.0
"""So long an order may take, restarts of the other end included."""
PAUSE_S: Final = 0.1


class ControlError(Exception):
    """An order was not carried out; the text says why."""


class NotRunning(ControlError):
    """No recorder hears."""


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants done; once more it does no harm."""

    act: str
    """One of `srs.siprec.operator.ACTS`."""
    recording: str
    """Its whole id."""
    by: str
    """As the audit names who wants it."""
    purpose: str | None = None


def bind(data_dir: Path) -> socket.socket:
    """Make the socket, in place of one that a keeper before left.

    Raises:
        OSError: it cannot be made.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(data_dir) as path:
            Path(path).unlink(missing_ok=True)
            before = os.umask(0o177)
            try:
                listener.bind(path)
            finally:
                os.umask(before)
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def ask(data_dir: Path, order: Order) -> None:
    """Have an order carried out.

    Raises:
        NotRunning: nobody hears.
        ControlError: it was not carried out.
    """
    deadline = time.monotonic() + PATIENCE_S
    while (answer := _exchange(data_dir, order, deadline)) is None:
        if time.monotonic() > deadline:
            raise ControlError(f"the recorder did not answer within {PATIENCE_S:.0f} s: look whether it was done")
        time.sleep(PAUSE_S)
    if "error" in answer:
        raise ControlError(str(answer["error"]))


def _exchange(data_dir: Path, order: Order, deadline: float) -> dict[str, object] | None:
    """One try; None: whoever heard the order died over it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end:
        end.settimeout(max(0.1, deadline - time.monotonic()))
        try:
            with _short(data_dir) as path:
                end.connect(path)
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NotRunning(f"no recorder works on {data_dir}") from error
        except OSError as error:
            raise NotRunning(f"{data_dir / NAME}: {error.strerror}") from error
        try:
            end.sendall(json.dumps(asdict(order)).encode() + b"\n")
            line = end.makefile("rb").readline(LARGEST)
        except OSError:
            return None
    return dict(json.loads(line)) if line.endswith(b"\n") else None


@contextmanager
def _short(data_dir: Path) -> Iterator[str]:
    """The path of the socket, short enough for its address (108 octets) wherever the folder is."""
    folder = os.open(data_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{NAME}"
    finally:
        os.close(folder)
