"""A sender and a network with a known truth, for the tests of the jitter pipeline."""

import socket
import struct
import time
from dataclasses import dataclass

import numpy as np
import pytest

from rtp.port import open_port

START_NS = 1_790_000_000_000_000_000
"""When the first packet of a test is sent; a UTC time as captures have it."""
TICK_NS = 125_000


@dataclass
class Sent:
    """Packets of one SSRC at 8 kHz in order of sending: the truth."""

    sequence: np.ndarray
    timestamp: np.ndarray
    send: np.ndarray
    """Ticks since the start; where the sound belongs."""
    duration: np.ndarray

    def __len__(self):
        return len(self.sequence)

    def __add__(self, other):
        columns = zip(vars(self).values(), vars(other).values(), strict=True)
        return Sent(*(np.concatenate(pair) for pair in columns))

    def arrive(self, which=None, delay=None):
        """Columns of the packets `which`, in order of arrival, each `delay` ticks late; and which they are."""
        which = np.arange(len(self)) if which is None else np.asarray(which)
        tick = self.send[which] + (0 if delay is None else np.asarray(delay))
        order = np.argsort(tick, kind="stable")
        which = which[order]
        return Arrived(
            which,
            self.sequence[which].astype(np.uint16),
            self.timestamp[which].astype(np.uint32),
            START_NS + tick[order] * TICK_NS,
            np.full(len(which), 8000),
            self.duration[which],
            np.ones(len(which), bool),
        )


@dataclass
class Arrived:
    which: np.ndarray
    sequence: np.ndarray
    timestamp: np.ndarray
    time_ns: np.ndarray
    clock_rate: np.ndarray
    duration: np.ndarray
    audio: np.ndarray

    def columns(self):
        return (self.sequence, self.timestamp, self.time_ns, self.clock_rate, self.duration, self.audio)


def _send(durations, *, sequence=1000, timestamp=50_000, at=0):
    """Packets of these durations in ticks, one after the other from tick `at`."""
    durations = np.broadcast_to(durations, np.shape(durations) or (1,)).astype(np.int64)
    begin = np.cumsum(durations) - durations
    index = np.arange(len(durations))
    return Sent((sequence + index) & 0xFFFF, (timestamp + begin) & 0xFFFFFFFF, at + begin, durations)


@pytest.fixture(scope="session")
def send():
    return _send


@pytest.fixture(scope="session")
def stamping():
    """The kernel stamps what arrives.

    It begins to a while after the first socket of the machine asks for it; until then it stamps what is read.
    """
    with open_port("127.0.0.1", 0) as asking, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for _ in range(200):
            out.sendto(b"x", asking.getsockname())
            sent = time.time_ns()
            time.sleep(0.02)
            _, [(_, _, data)], _, _ = asking.recvmsg(256, 64)
            seconds, nanoseconds = struct.unpack("qq", data)
            if seconds * 1_000_000_000 + nanoseconds <= sent:
                break
        else:
            pytest.fail("the kernel stamps packets when they are read, not when they arrive")
        yield
