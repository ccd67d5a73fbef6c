"""Many short calls for a while: memory, descriptors, ports and captures must be as flat at the end as at the start.

    make soak MINUTES=20        (thousands of calls: a day's work of a small company)

Exit status 1 if a call is missing, something is left over, or something grew.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from support.recorder import Recorder, until

from rtp.codecs import encode
from srs.siprec.src import CODECS, CallFailed, Client, Plan
from srs.siprec.src_audio import tone

CALLS_PER_S = 10
CALL_S = 1.0
WARM_UP_S = 20.0
POOL = 4
"""Descriptors that a process may have more: connections to the database come with the first rush. Whatever leaked with
every call would make thousands."""
LOOKS, LOOK_S = 20, 0.1
GROWTH_KB = 8192
"""That a process may grow after warming up: the heap is never quite still."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One process at one moment."""

    name: str
    memory_kb: int
    descriptors: int


def processes(keeper: int) -> dict[int, str]:
    """The keeper and its children, by module."""
    found = {keeper: "keeper"}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == keeper and b"-m" in words:
            found[int(entry.name)] = words[words.index(b"-m") + 1].decode()
    return found


def sample(keeper: int) -> dict[int, Sample]:
    """Each process at rest: with the fewest descriptors of some looks, since the archive looks at its files too."""
    found: dict[int, Sample] = {}
    for _ in range(LOOKS):
        for pid, name in processes(keeper).items():
            now = Sample(name, _memory_kb(pid), sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()))
            found[pid] = min(found.get(pid, now), now, key=lambda each: each.descriptors)
        time.sleep(LOOK_S)
    return found


def _memory_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1])
    return 0


async def load(recorder: Recorder, seconds: float) -> tuple[int, list[str]]:
    """Calls at a steady rate; how many were made, and what failed."""
    frames = [[frame.tobytes() for frame in encode("PCMU", tone(hertz)).reshape(-1, 160)] for hertz in (440, 620)]
    parties = ("sip:alice@example.com", "sip:bob@example.com")
    failed: list[str] = []
    made = 0

    async def one(client: Client, plan: Plan) -> None:
        try:
            await client.call(plan)
        except CallFailed as failure:
            failed.append(str(failure))

    async with (
        Client((recorder.host, recorder.port), "TCP") as tcp,
        Client((recorder.host, recorder.port), "UDP") as udp,
    ):
        plans = [
            (client, Plan((recorder.host, recorder.port), name, parties, frames, CODECS["PCMU"], CALL_S))
            for client, name in ((tcp, "TCP"), (udp, "UDP"))
        ]
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            while time.monotonic() - begun < seconds:
                group.create_task(one(*plans[made % 2]))
                made += 1
                await asyncio.sleep(max(0.0, begun + made / CALLS_PER_S - time.monotonic()))
    return made, failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    minutes = parser.parse_args().minutes
    with TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder) / "data", "127.0.0.1", {})
        try:
            problems = run(recorder, 60 * minutes)
        finally:
            recorder.stop()
    for problem in problems:
        print(f"PROBLEM  {problem}")
    print("flat" if not problems else f"{len(problems)} problems")
    return 1 if problems else 0


def run(recorder: Recorder, seconds: float) -> list[str]:
    """Warm up, load, rest; what is wrong then."""
    keeper = recorder.process.pid
    warm, _ = asyncio.run(load(recorder, WARM_UP_S))
    _settle(recorder, warm)
    before = sample(keeper)
    began = time.monotonic()
    made, failed = asyncio.run(load(recorder, seconds))
    _settle(recorder, warm + made)
    after = sample(keeper)
    print(f"{made} calls in {time.monotonic() - began:.0f} s")
    for pid, now in after.items():
        print(f"{now.name:28} {_told(before.get(pid))} -> {_told(now)}")
    return failed + left_over(recorder, warm + made) + growth(before, after)


def _told(sampled: Sample | None) -> str:
    return f"{sampled.memory_kb:7d} kB {sampled.descriptors:4d} descriptors" if sampled else "not there"


def _settle(recorder: Recorder, recordings: int) -> None:
    """Wait until the archive has done its work."""
    archived = sum(1 for _ in (recorder.data / "audio").rglob("*.wav"))
    deadline = time.monotonic() + 600
    while archived < recordings and time.monotonic() < deadline:
        time.sleep(1.0)
        archived = sum(1 for _ in (recorder.data / "audio").rglob("*.wav"))
    until(lambda: not recorder.captures(), lambda: f"captures are left: {recorder.captures()}")


def left_over(recorder: Recorder, expected: int) -> list[str]:
    found = recorder.listed()
    problems = [f"{len(found)} recordings, {expected} calls"] if len(found) != expected else []
    problems += [f"recording {row['id']} is {row['state']}" for row in found if row["state"] != "ready"]
    return problems + [f"capture left: {path}" for path in recorder.captures()]


def growth(before: dict[int, Sample], after: dict[int, Sample]) -> list[str]:
    problems = [f"{sampled.name} was started anew" for pid, sampled in after.items() if pid not in before]
    for pid in before.keys() & after.keys():
        old, new = before[pid], after[pid]
        if new.descriptors > old.descriptors + POOL:
            problems.append(f"{new.name}: {old.descriptors} -> {new.descriptors} descriptors")
        if new.memory_kb > old.memory_kb + GROWTH_KB:
            problems.append(f"{new.name}: {old.memory_kb} -> {new.memory_kb} kB")
    return problems


if __name__ == "__main__":
    sys.exit(main())
