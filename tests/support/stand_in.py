"""An archive in a temporary folder, with a stand-in for finalise that reads its recording from a few words."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from rtp.mix import Channels
from srs.archive.database import connect
from srs.archive.keep import Archive
from srs.archive.store import open_store
from srs.config import AudioSettings
from srs.siprec.identifiers import Identifier

STARTED_NS = 1_795_521_600_123_456_789  # 2026-11-24T12:00:00.123456789Z
RATE = 8000


class Refused(Exception):
    """What the stand-in raises for a capture without a session."""


@dataclass(frozen=True)
class LegFacts:
    packets: int = 100
    lost: int = 2
    seconds: float = 2.0
    gaps: tuple[tuple[float, float], ...] = ((0.5, 0.04),)
    undecoded: int = 0


@dataclass(frozen=True)
class LegSound:
    label: str
    aor: str
    name: str | None
    codec: str
    facts: LegFacts
    samples: np.ndarray
    sample_rate: int = RATE


@dataclass(frozen=True)
class Finalised:
    call_id: str
    legs: tuple[LegSound, ...]
    session_id: str | None = "cs-1"
    started_ns: int = STARTED_NS
    ended_ns: int = STARTED_NS + 2_000_000_000
    interrupted: bool = False
    caller: str | None = "sip:alice@example.com"
    callee: str | None = "sip:bob@example.com"
    identifiers: tuple[Identifier, ...] = (Identifier("ucid", "00001000021793793061"), Identifier("agent-id", "7"))
    facts: dict[str, object] | None = None


def tone(frequency: int) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * frequency * np.arange(2 * RATE) / RATE)).astype(np.int16)


def finalise(path: Path) -> list[Finalised]:
    """A call of 2 s, 440 Hz on the caller's leg and 1,000 Hz on the callee's; as often as the words say "a call"."""
    words = path.read_text()
    if "broken" in words:
        raise Refused("there is no SIP in it")
    if "defect" in words:
        raise IndexError("list index out of range")
    facts = LegFacts(undecoded=7 if "undecoded" in words else 0)
    legs = (
        LegSound("1", "sip:alice@example.com", "Alice", "PCMU", facts, tone(440)),
        LegSound("2", "sip:bob@example.com", None, "PCMA", facts, tone(1000)),
    )
    call = Finalised("call-1@example.com", legs, facts={"end_reason": "BYE"})
    if "odd" in words:
        call = replace(call, call_id="odd-\udcff-\0")
    return [
        replace(call, session_id=f"cs-{number + 1}", started_ns=STARTED_NS + number * 3_000_000_000) if number else call
        for number in range(max(words.count("a call"), 1))
    ]


def channels(finalised: Finalised) -> Channels:
    return Channels(tuple(leg.samples for leg in finalised.legs), RATE)


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    (tmp_path / "data").mkdir()
    engine = connect(database_url)
    store = open_store((tmp_path / "data" / "audio").as_uri())
    yield Archive(tmp_path / "data", engine, store, AudioSettings(), finalise, channels, (Refused,))
    engine.dispose()


@pytest.fixture
def ended(archive: Archive):
    """Makes a capture of an ended session."""

    def make(recording: str = "a1b2c3d4", words: str = "a call") -> Path:
        path = archive.data_dir / "captures" / "ended" / f"{recording}.pcap"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words)
        return path

    return make
