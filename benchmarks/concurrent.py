"""How many calls of two G.711 legs one core records with nothing lost: a whole recorder on it, the sender on another.

Every recording is read: as long as its session, each channel the tone of its own stream without a hole, and silence
before and after.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import traffic
from benchmarks.client import Call, Client
from benchmarks.recorder import Recorder, running

RATE = 150.0
"""Calls set up a second, and hung up."""
LEGS = 2
SETTLE_S = 1.0
PATIENCE_S = 600.0
ARCHIVE = "assembly"
"""The process that makes recordings of captures."""
HEADER = 44
"""Octets of a WAV file before its samples."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of so many calls at once."""

    calls: int
    sent: int
    """Packets."""
    perfect: int
    """Recordings that have every sample in its place."""
    received: int
    """Packets, as the recordings tell."""
    missing: int
    """Samples that are not where they should be, of all recordings, in packets. Those of a sender that fell behind
    are not where it means them: no recorder can know."""
    late_s: float
    """By how much the sender was behind at worst."""
    capture_share: float
    """Of one core, that all processes but the archive took while sound came."""
    archive_s: float
    """CPU time of the archive process for all calls."""
    memory_kib: float
    """Per call, of all processes: private memory beyond that of a recorder without calls."""

    @property
    def clean(self) -> bool:
        return self.perfect == self.calls

    @property
    def capture_us(self) -> float:
        """CPU time per packet, SIP and all."""
        return self.capture_share * traffic.PACKET_S / (self.calls * LEGS) * 1e6


def measure_concurrent(directory: Path, calls: int, seconds: float) -> Carried:
    """Run so many calls at once, with sound for so many seconds."""
    processors = sorted(os.sched_getaffinity(0))
    data = directory / f"calls-{calls}"
    with running(data, processor=processors[0]) as recorder:
        client = Client(recorder.target)
        client.make(20, rate=20, hold_s=0.1)
        _wait(lambda: recorder.captures() == 0)
        before = recorder.usage()
        made = client.make(calls, RATE)
        answered = [call for call in made if call.answered_s is not None]
        time.sleep(SETTLE_S)
        ports = [port for call in answered for port in call.ports]
        begin = recorder.usage()
        sender = traffic.start(ports, seconds)
        time.sleep(seconds * 0.8)
        during = recorder.usage()
        sender.wait()
        time.sleep(SETTLE_S)
        client.hang_up(answered, RATE)
        client.close()
        _wait(lambda: recorder.captures() == 0)
        after = recorder.usage()
        sent, late_s = traffic.sent(sender)
        packets = sent // max(len(ports), 1)
        received = recorder.packets({call.call_id for call in answered})
        missing = list(_missing(recorder, answered, packets))
    capturing = sum(during.cpu_s[name] - begin.cpu_s[name] for name in begin.cpu_s if name != ARCHIVE)
    return Carried(
        calls=calls,
        sent=sent,
        received=received,
        perfect=missing.count(0),
        missing=sum(missing) // traffic.OCTETS,
        late_s=late_s,
        capture_share=capturing / (seconds * 0.8),
        archive_s=after.cpu_s[ARCHIVE] - before.cpu_s[ARCHIVE],
        memory_kib=(sum(during.memory_kib.values()) - sum(before.memory_kib.values())) / calls,
    )


def _missing(recorder: Recorder, calls: Sequence[Call], packets: int) -> Iterator[int]:
    """Yield for each call how many samples are not as they were sent."""
    files = recorder.files()
    for number, call in enumerate(calls):
        path = files.get(call.call_id)
        if path is None:
            yield LEGS * packets * traffic.OCTETS
            continue
        samples = np.fromfile(path, "<i2", offset=HEADER)
        sound = samples[: len(samples) // LEGS * LEGS].reshape(-1, LEGS)
        yield sum(_wrong(sound[:, leg], LEGS * number + leg, packets) for leg in range(LEGS))
        path.unlink()


def _wrong(sound: NDArray[np.int16], stream: int, packets: int) -> int:
    """Count the samples that differ from the stream's tone, which begins with its peak, and from silence around it."""
    expected = np.tile(_decoded(traffic.frame(stream)), packets)
    heard = np.flatnonzero(sound)
    first = int(heard[0]) if len(heard) else 0
    part = sound[first : first + len(expected)]
    outside = len(heard) - int(np.count_nonzero(part))
    return len(expected) - int((part == expected[: len(part)]).sum()) + outside


def _decoded(codes: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the samples of µ-law codes (ITU-T G.711), by the formula and not by the recorder's table."""
    code = ~codes
    magnitude = (((code & 15).astype(np.int32) << 3) + 132 << ((code >> 4) & 7)) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the archive has not finished after {PATIENCE_S:.0f} s")
        time.sleep(0.1)
