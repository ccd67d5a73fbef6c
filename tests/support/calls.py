"""Calls of our own SRC whose sound is known sample by sample."""

import asyncio
import threading

import numpy as np
from support.recorder import PATIENCE_S, Recorder

from rtp.codecs import encode
from rtp.send import Impairment
from srs.siprec.src import CODECS, CallFailed, Client, Outcome, Plan

FRAME = 160
PARTIES = ("sip:alice@example.com", "sip:bob@example.com")


def noise(seed: int, seconds: float) -> np.ndarray:
    """A waveform in which every place is unlike every other; int16 at 8 kHz."""
    return np.random.default_rng(seed).integers(-20000, 20000, round(seconds * 8000)).astype(np.int16)


def make_plan(
    recorder: Recorder,
    seconds: float,
    codec: str = "PCMU",
    transport: str = "UDP",
    impairment: Impairment | None = None,
) -> Plan:
    """A call of two legs of noise."""
    frames = [[frame.tobytes() for frame in encode(codec, noise(seed, seconds)).reshape(-1, FRAME)] for seed in (1, 2)]
    return Plan(
        target=(recorder.host, recorder.secure_port if transport == "TLS" else recorder.port),
        transport=transport,
        parties=PARTIES,
        frames=frames,
        codec=CODECS[codec],
        duration_s=seconds,
        impairment=impairment or Impairment(),
    )


def call(*plans: Plan) -> list[Outcome]:
    """Make calls, all at once."""

    async def run() -> list[Outcome]:
        async with Client(plans[0].target, plans[0].transport) as client:
            return await asyncio.gather(*(client.call(plan_) for plan_ in plans))

    return asyncio.run(run())


def talk(recorder: Recorder, caller: str, callee: str, *sounds: np.ndarray) -> None:
    """A call of two legs, int16 at 8 kHz, as long as the longer."""
    length = -(-max(map(len, sounds)) // FRAME) * FRAME
    frames = [encode("PCMU", np.pad(sound, (0, length - len(sound)))).reshape(-1, FRAME) for sound in sounds]
    call(
        Plan(
            target=(recorder.host, recorder.port),
            transport="UDP",
            parties=(caller, callee),
            frames=[[frame.tobytes() for frame in leg] for leg in frames],
            codec=CODECS["PCMU"],
            duration_s=length / 8000,
        )
    )


class Talk:
    """Calls that go on while a test does something else."""

    def __init__(self, *plans: Plan) -> None:
        self._outcomes: list[Outcome] = []
        self._failure: CallFailed | None = None
        self._thread = threading.Thread(target=self._run, args=plans, daemon=True)
        self._thread.start()

    def _run(self, *plans: Plan) -> None:
        try:
            self._outcomes = call(*plans)
        except CallFailed as failure:
            self._failure = failure

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def outcomes(self) -> list[Outcome]:
        """What became of them, when they are over.

        Raises:
            CallFailed: one of them failed.
        """
        self.end()
        if self._failure is not None:
            raise self._failure
        return self._outcomes

    def end(self) -> None:
        """Wait until they are over, or have failed."""
        self._thread.join(PATIENCE_S)
        assert not self.running, "the calls are not over"
