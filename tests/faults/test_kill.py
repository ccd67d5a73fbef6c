"""Processes of the recorder are killed at random moments while calls run; no sample may be missing afterwards."""

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from support.calls import FRAME, PARTIES, noise
from support.heard import missing
from support.recorder import Recorder, free_port

from rtp.codecs import encode
from rtp.send import Impairment
from srs.siprec.src import CODECS, Client, Outcome, Plan


class Killer(threading.Thread):
    """Kills so many processes, evenly over a time, each at a random moment.

    In place of a signalling that is not up again a capture worker dies: on a slow machine clients would give up (after
    32 s, RFC 3261 §17) before any of a row of them has answered. tests/capture/test_keeper.py kills it before that.
    """

    def __init__(self, recorder: Recorder, kinds: list[str], over_s: float, seed: int) -> None:
        super().__init__(daemon=True)
        self._recorder, self._kinds, self._over_s = recorder, kinds, over_s
        self._random = random.Random(seed)
        self.killed = 0
        self._signallings = 0
        """That were killed."""

    def _is_up(self) -> bool:
        return self._recorder.log.read_text().count("event=listening") > self._signallings

    def run(self) -> None:
        share = self._over_s / len(self._kinds)
        began = time.monotonic()
        for number, wanted in enumerate(self._kinds):
            time.sleep(max(0.0, began + (number + self._random.random()) * share - time.monotonic()))
            kind = wanted if wanted != "signalling" or self._is_up() else "capture"
            self._signallings += kind == "signalling"
            deadline = time.monotonic() + 5.0
            while not (found := self._recorder.children(kind)) and time.monotonic() < deadline:
                time.sleep(0.05)
            for pid in found[:1]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.killed += 1


def frames(seed: int, seconds: float) -> list[bytes]:
    return [frame.tobytes() for frame in encode("PCMU", noise(seed, seconds)).reshape(-1, FRAME)]


def make_plan(recorder: Recorder, number: int, seconds: float, transport: str) -> Plan:
    return Plan(
        target=(recorder.host, recorder.port),
        transport=transport,
        parties=PARTIES,
        frames=[frames(2 * number, seconds), frames(2 * number + 1, seconds)],
        codec=CODECS["PCMU"],
        duration_s=seconds,
        impairment=Impairment(),
    )


def make_calls(plans: list[Plan], spread_s: float) -> list[Outcome]:
    """The calls, their beginnings spread over a time."""

    async def one(client: Client, number: int, plan: Plan) -> Outcome:
        await asyncio.sleep(spread_s * number / len(plans))
        return await client.call(plan)

    async def run() -> list[Outcome]:
        target = plans[0].target
        async with Client(target, "UDP") as udp, Client(target, "TCP") as tcp:
            clients = {"UDP": udp, "TCP": tcp}
            return await asyncio.gather(*(one(clients[plan.transport], n, plan) for n, plan in enumerate(plans)))

    return asyncio.run(run())


def check(recorder: Recorder, plans: list[Plan], outcomes: list[Outcome]) -> None:
    """Every call is one recording, nothing of it is missing, and nothing else is left."""
    recordings = {row["call_id"]: row for row in recorder.recordings(len(plans))}
    assert len(recordings) == len(recorder.listed()) == len(plans)
    lost = {}
    for plan, outcome in zip(plans, outcomes, strict=True):
        row = recordings[outcome.call_id]
        assert row["state"] == "ready", row
        gone = missing(Path(row["file"]), plan.frames)
        wire = [leg["lost"] for leg in row["legs"]]
        if gone or any(wire):
            lost[outcome.call_id] = (gone, wire, plan.transport)
    assert lost == {}
    assert recorder.captures() == []


@pytest.mark.parametrize(
    ("calls", "seconds", "kinds", "seed"),
    [
        pytest.param(8, 5.0, ["capture", "signalling", "web", "handoff", "signalling", "capture"], 1, id="short"),
        pytest.param(
            100,
            60.0,
            random.Random(5).choices(["capture", "signalling", "handoff", "web"], weights=[8, 8, 2, 1], k=50),
            2,
            id="long",
            marks=[pytest.mark.slow, pytest.mark.timeout(900)],
        ),
    ],
)
def test_no_packet_is_lost_to_a_kill(
    start_recorder: Callable, calls: int, seconds: float, kinds: list, seed: int
) -> None:
    web = f"http://127.0.0.1:{free_port('127.0.0.1')}"
    # A worker that dies again and again is behind.
    recorder = start_recorder(SRS_ADMISSION__LAG_S="60", SRS_WEB__LISTEN=web)
    plans = [make_plan(recorder, n, seconds, ("UDP", "TCP")[n % 2]) for n in range(calls)]
    killer = Killer(recorder, kinds, 2 * seconds - 0.5, seed)
    killer.start()
    outcomes = make_calls(plans, seconds)
    killer.join()
    check(recorder, plans, outcomes)
    assert killer.killed >= 0.8 * len(kinds)
