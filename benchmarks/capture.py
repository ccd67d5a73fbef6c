"""What it costs to take packets from sockets: thrown away in C (the floor), and recorded by `rtp.receive`."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import traffic
from benchmarks.recorder import raise_limit
from rtp.pcap import HEADER
from rtp.port import Port, open_port
from rtp.receive import Receiver, Tap

STREAMS = (100, 1000, 4000)
INTERVAL_S = 0.5
"""Between two drains, as in the recorder."""
SETTLE_S = 0.2
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of the table."""

    what: str
    cpu_s: float
    packets: int
    """That were received."""
    sent: int
    late_s: float = 0.0
    """By how much the sender was behind at worst."""

    @property
    def cpu_us(self) -> float:
        """Per packet received."""
        return self.cpu_s / self.packets * 1e6


def cheapest(turns: Sequence[Measured]) -> Measured:
    """Return the turn that cost least: what other work on the machine adds is no part of the cost. It tells what was
    lost in any of them, and how late the sender ever was."""
    lost = sum(each.sent - each.packets for each in turns)
    least = min(turns, key=lambda each: each.cpu_us)
    return replace(least, sent=least.packets + lost, late_s=max(each.late_s for each in turns))


def build(name: str) -> Path:
    """Compile a C program of this folder."""
    program = HERE / "build" / name
    program.parent.mkdir(exist_ok=True)
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-o", program, HERE / f"{name}.c"], check=True)
    return program


@contextmanager
def sockets(count: int) -> Iterator[list[socket.socket]]:
    """Ports on the loopback address, opened as the recorder opens them."""
    raise_limit()
    with ExitStack() as stack:
        yield [stack.enter_context(open_port(traffic.HOST, 0)) for _ in range(count)]


def measure_floor(floor: Path, opened: Sequence[socket.socket], seconds: float) -> Measured:
    """Have the C program drain the sockets while packets come."""
    descriptors = [each.fileno() for each in opened]
    command = [str(floor), str(round(INTERVAL_S * 1e9)), *map(str, descriptors)]
    drain = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=descriptors, text=True)
    sender = traffic.start(_ports(opened), seconds)
    sender.wait()
    time.sleep(SETTLE_S)
    out, _ = drain.communicate("stop\n")
    packets, _, cpu_ns = map(int, out.split())
    return Measured(f"{len(opened)} streams: recvmmsg and discard, in C", cpu_ns / 1e9, packets, *traffic.sent(sender))


def measure_receiver(opened: Sequence[socket.socket], seconds: float, directory: Path) -> Measured:
    """Record pairs of streams into a capture each."""
    receiver = Receiver()
    with _taps(opened, directory) as taps:
        sender = traffic.start(_ports(opened), seconds)
        packets, cpu_s, last = 0, 0.0, False
        while not last:
            time.sleep(INTERVAL_S)
            last = sender.poll() is not None
            begin = time.thread_time()
            packets += receiver.drain(taps).packets
            cpu_s += time.thread_time() - begin
    return Measured(f"{len(opened)} streams: rtp.receive, to capture files", cpu_s, packets, *traffic.sent(sender))


@contextmanager
def _taps(opened: Sequence[socket.socket], directory: Path) -> Iterator[list[Tap]]:
    """Two ports a capture, as a call has them."""
    with ExitStack() as stack:
        taps = []
        for first in range(0, len(opened), 2):
            path = directory / f"{first}.pcap"
            capture = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            stack.callback(path.unlink)
            stack.callback(os.close, capture)
            os.write(capture, HEADER)
            taps.append(Tap(capture, [Port(each) for each in opened[first : first + 2]]))
        yield taps


def _ports(opened: Sequence[socket.socket]) -> list[int]:
    return [each.getsockname()[1] for each in opened]
