"""Whole calls through real sockets, compared sample by sample with what was sent."""

from pathlib import Path

import numpy as np
import pytest
from support.calls import FRAME, PARTIES, Talk, call, make_plan
from support.heard import samples
from support.lateness import Lateness
from support.recorder import Recorders, until

from rtp.send import Impairment
from srs import control
from srs.control import Order
from srs.siprec.src import CallFailed
from srs.siprec.src_media import plan

BAD_NETWORK = Impairment(loss=0.05, reorder=0.02, duplicates=0.01, seed=8)


def reference(codec: str, frames: list[bytes]) -> np.ndarray:
    """The samples of the frames by the formulas of ITU-T G.711, independent of the tables of the product."""
    codes = np.frombuffer(b"".join(frames), np.uint8).astype(int)
    if codec == "PCMU":
        codes = ~codes & 0xFF
        magnitude = ((2 * (codes & 15) + 33) << (codes >> 4 & 7)) - 33
        return (np.where(codes & 0x80, -1, 1) * magnitude * 4).astype(np.int16)
    codes = codes ^ 0x55
    segment, step = codes >> 4 & 7, codes & 15
    magnitude = np.where(segment == 0, 2 * step + 1, (2 * step + 33) << np.maximum(segment - 1, 0))
    return (np.where(codes & 0x80, 1, -1) * magnitude * 8).astype(np.int16)


def expected(length: int, start: int, decoded: np.ndarray, arrived: set[int]) -> np.ndarray:
    """Silence but for the packets that arrived, each in its place."""
    truth = np.zeros(length, np.int16)
    for index in arrived:
        truth[start + index * FRAME : start + (index + 1) * FRAME] = decoded[index * FRAME : (index + 1) * FRAME]
    return truth


def find(channel: np.ndarray, first: np.ndarray) -> int:
    """Where the first packet stands."""
    places = [at for at in np.flatnonzero(channel == first[0]) if np.array_equal(channel[at : at + FRAME], first)]
    assert len(places) == 1
    return int(places[0])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize(("transport", "codec"), [("UDP", "PCMU"), ("TCP", "PCMA")])
def test_every_sample_stands_where_it_was_sent(recorders: Recorders, host: str, transport: str, codec: str) -> None:
    recorder = recorders.lend(host)
    seconds = 3.0
    plan_ = make_plan(recorder, seconds, codec, transport, BAD_NETWORK)
    with Lateness() as lateness:
        (outcome,) = call(plan_)
    (recording,) = recorder.recordings(1)

    assert recording["call_id"] == outcome.call_id
    assert [leg["aor"] for leg in recording["legs"]] == ["sip:alice@example.com", "sip:bob@example.com"]
    sound = samples(recording["file"])
    assert sound.shape[1] == 2
    for number, leg in enumerate(recording["legs"]):
        network = plan(seconds, Impairment(0.05, 0.02, 0.01, BAD_NETWORK.seed + number))
        arrived = set(network.packet.tolist())
        decoded = reference(codec, plan_.frames[number])
        start = find(sound[:, number], decoded[:FRAME])
        np.testing.assert_array_equal(sound[:, number], expected(len(sound), start, decoded, arrived))
        last = max(arrived)
        assert leg["codec"] == codec
        assert leg["packets"] == len(arrived)
        assert leg["lost"] == last + 1 - len(arrived)
        assert len(network.packet) > len(arrived) > 0.9 * seconds * 50  # the network doubled some, lost some
    assert recording["duration_s"] == pytest.approx(seconds, abs=0.05 + 2 * lateness.longest_s)
    assert len(sound) == round(recording["duration_s"] * 8000)


def test_nothing_is_left_of_a_call_that_is_in_the_archive(recorder) -> None:
    call(make_plan(recorder, 0.5))
    (recording,) = recorder.recordings(1)
    assert Path(recording["file"]).stat().st_size == recording["bytes"]
    assert recorder.captures() == []


def test_a_running_call_is_listed_with_its_parties(recorder) -> None:
    talk = Talk(make_plan(recorder, 60.0))
    rows: list[dict] = []

    def listed() -> bool:
        rows[:] = recorder.listed()
        return any(row["caller"] for row in rows)

    until(listed, lambda: f"no call is listed with its caller: {rows}")
    (running,) = rows
    control.ask(recorder.data, Order("stop", running["id"], "test"))
    with pytest.raises(CallFailed, match="hung up"):
        talk.outcomes()
    assert running["state"] == "recording"
    assert running["ended_at"] is None
    assert (running["caller"], running["callee"]) == PARTIES
    assert [leg["label"] for leg in running["legs"]] == ["1", "2"]
    (finished,) = recorder.recordings(1)
    assert finished["id"] == running["id"]
    assert finished["session_id"] == running["session_id"] is not None
