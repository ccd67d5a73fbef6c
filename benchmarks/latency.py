"""How long a client waits from INVITE to 200, at several rates of new calls."""

import socket
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.capture import build
from benchmarks.client import Call, Client
from benchmarks.recorder import HOST, running

RATES = (10, 100, 300)
HOLD_S = 1.0
"""Of each call."""
WARM_UP = 20
"""Calls before, which are not counted: the first ones of a process fill its caches."""


FLOOR_RATE = 100
REFUSED_RATE = 100
FULL = {"SRS_ADMISSION__CALLS": "1"}


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers to the INVITEs of one rate."""

    what: str
    rate: float
    calls: int
    failed: int
    resent: int
    p50_ms: float
    p99_ms: float
    longest_ms: float


def measure_latency(directory: Path, seconds: float) -> list[Answered]:
    """Make calls without sound for so many seconds at each rate; first the floor: what a program in C takes to answer
    the same octets."""
    with running(directory / "latency") as recorder:
        client = Client(recorder.target)
        client.make(WARM_UP, rate=50, hold_s=0.1)
        answers = [_measure(client, rate, seconds) for rate in RATES]
        client.close()
    return [_measure_floor(seconds), *answers, _measure_refusals(directory, seconds)]


def _measure_floor(seconds: float) -> Answered:
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        server.bind((HOST, 0))
        answering = subprocess.Popen([build("echo"), str(server.fileno())], pass_fds=[server.fileno()])
        stack.callback(answering.wait)
        stack.callback(answering.kill)
        client = Client(server.getsockname())
        stack.callback(client.close)
        waited = client.echoed(round(FLOOR_RATE * seconds), FLOOR_RATE)
    return _figures("echo", FLOOR_RATE, len(waited), waited, resent=0)


def _measure_refusals(directory: Path, seconds: float) -> Answered:
    """Of a recorder that has as many calls as it may."""
    with running(directory / "refusals", more=FULL) as recorder:
        client = Client(recorder.target)
        client.make(WARM_UP, rate=50)  # the first of them stays
        calls = client.make(round(REFUSED_RATE * seconds), REFUSED_RATE)
        client.close()
    return _answered("503", REFUSED_RATE, calls, [call.refused_s for call in calls if call.refused == 503])


def _measure(client: Client, rate: float, seconds: float) -> Answered:
    calls = client.make(round(rate * seconds), rate, HOLD_S)
    return _answered("200", rate, calls, [call.answered_s for call in calls])


def _answered(what: str, rate: float, calls: Sequence[Call], seconds: Sequence[float | None]) -> Answered:
    answered = [each for each in seconds if each is not None]
    return _figures(what, rate, len(calls), answered, resent=sum(call.sent > 1 for call in calls))


def _figures(what: str, rate: float, calls: int, seconds: Sequence[float], *, resent: int) -> Answered:
    p50, p99, longest = (1000 * np.percentile(seconds, [50, 99, 100])).tolist()
    return Answered(what, rate, calls, calls - len(seconds), resent, p50, p99, longest)
