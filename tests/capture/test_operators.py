"""Operators pause, resume and stop calls under way: of a pause there is no octet anywhere, of the rest every sample."""

import json
import os
import signal
import stat
import time
from pathlib import Path

import numpy as np
import pytest
from support.calls import FRAME, Talk, make_plan
from support.heard import samples
from support.recorder import Recorder, Recorders, until

from rtp.codecs import mu_law
from srs import control
from srs.control import ControlError, NotRunning, Order
from srs.siprec.src import CallFailed

pytestmark = pytest.mark.timeout(240)
LONGEST_S = 60.0


@pytest.fixture
def recorder(recorders: Recorders) -> Recorder:
    """One whose rules have a purpose for every call."""
    return recorders.lend(SRS_PURPOSE_RULE='[{"purpose": "quality"}]')


class Call:
    """A call of noise until the recorder hangs up; its capture stays readable when the recorder has removed it."""

    def __init__(self, recorder: Recorder, keep: Path) -> None:
        self.recorder, self.plan = recorder, make_plan(recorder, LONGEST_S)
        self.talk = Talk(self.plan)
        until(lambda: any(self.sizes()), lambda: "there is no capture")
        (path,) = recorder.captures()
        self.id, self.capture = path.stem, keep / "kept.pcap"
        os.link(path, self.capture)
        self.grows(40_000)

    def sizes(self) -> list[int]:
        return [path.stat().st_size for path in self.recorder.captures()]

    def grows(self, octets: int) -> None:
        size = self.capture.stat().st_size
        until(lambda: self.capture.stat().st_size > size + octets, lambda: "the capture does not grow")

    def order(self, act: str) -> None:
        control.ask(self.recorder.data, Order(act, self.id, "user:anna"))

    def end(self) -> dict[str, object]:
        """Have the recorder hang up; the recording."""
        self.order("stop")
        with pytest.raises(CallFailed, match="hung up"):
            self.talk.outcomes()
        (row,) = self.recorder.recordings(1)
        assert row["state"] == "ready"
        return row

    def kept(self, leg: int) -> np.ndarray:
        """Which frames of a leg are in the capture, as far as the call went."""
        octets = self.capture.read_bytes()
        found = np.array([frame in octets for frame in self.plan.frames[leg]])
        return found[: np.flatnonzero(found)[-1] + 1]


def check_sound(channel: np.ndarray, frames: list[bytes], kept: np.ndarray) -> None:
    """Every kept frame is in its place, in place of every other one is silence; but for those after our BYE."""
    truth = mu_law()[np.frombuffer(b"".join(frames[: len(kept)]), np.uint8)]
    starts = np.flatnonzero(channel == truth[0])
    begin = next(int(at) for at in starts if np.array_equal(channel[at : at + FRAME], truth[:FRAME]))
    count = min(len(channel) - begin, len(truth)) // FRAME
    assert count > len(kept) - 50
    found = channel[begin : begin + count * FRAME].reshape(-1, FRAME)
    assert np.array_equal(found, np.where(kept[:, None], truth.reshape(-1, FRAME), 0)[:count])


@pytest.mark.parametrize("dies", ["nobody", "capture", "signalling"])
def test_of_a_pause_nothing_reaches_the_disk_and_the_rest_is_whole(dies: str, recorder: Recorder, tmp_path: Path):
    call = Call(recorder, tmp_path)
    call.order("pause")
    size = call.capture.stat().st_size
    if dies != "nobody":
        dead = recorder.kill(dies)
        until(lambda: recorder.children(dies) not in ([], [dead]), recorder.log.read_text)
    time.sleep(1.5)  # in which packets come that nobody sees
    assert call.capture.stat().st_size == size
    call.order("resume")
    call.grows(20_000)
    row = call.end()
    shown = recorder.shown(str(row["id"]))
    ((since_s, length_s, by),) = shown["facts"]["operator_pauses"]
    assert by == "user:anna"
    assert 1.5 <= length_s < since_s + length_s < float(str(row["duration_s"]))
    for leg in (0, 1):
        kept = call.kept(leg)
        gone = np.flatnonzero(~kept)
        assert np.array_equal(gone, np.arange(gone[0], gone[-1] + 1)), "one part is missing, and only that"
        assert abs(len(gone) * 0.02 - length_s) < 0.5
        check_sound(samples(str(row["file"]))[:, leg], call.plan.frames[leg], kept)
        assert shown["legs"][leg]["lost"] == 0
        assert shown["leg_facts"][leg]["pauses"] == [], "the client did not ask for it"
    assert f"[{since_s}, {length_s}" in recorder.run("show", str(row["id"]))


def test_commands_pause_resume_and_stop_and_the_audit_has_them(recorder: Recorder, tmp_path: Path):
    call = Call(recorder, tmp_path)
    assert "paused" in recorder.run("pause", call.id[:8])
    call.order("pause")  # twice is once
    assert "resumed" in recorder.run("resume", call.id)
    recorder.run("pause", call.id)
    assert "stopped" in recorder.run("stop", call.id)
    with pytest.raises(CallFailed, match="hung up"):
        call.talk.outcomes()
    (row,) = recorder.recordings(1)
    shown = recorder.shown(row["id"])["facts"]
    _, (since_s, length_s, _) = shown["operator_pauses"]
    assert since_s + length_s == pytest.approx(row["duration_s"], abs=0.01), "it lasts until the end"
    acts = [event.split(";")[1] for _, event in shown["events"]]
    assert acts == ["act=pause", "act=resume", "act=pause", "act=stop"]
    with pytest.raises(AssertionError, match="the call is over"):
        recorder.run("pause", call.id)
    audited = [json.loads(line) for line in recorder.run("audit", "export", "--format", "json").splitlines()]
    told = [(each["action"], each["allowed"]) for each in audited if each["subject"] == f"recording:{call.id}"]
    assert [told[0], told[1], told[-2], told[-1]] == [
        ("pause", True),
        ("resume", True),
        ("pause", True),
        ("pause", False),
    ]


def test_a_purpose_given_by_hand_holds_whatever_the_rules_say(recorder: Recorder, tmp_path: Path):
    call = Call(recorder, tmp_path)
    control.ask(recorder.data, Order("purpose", call.id, "user:anna", "complaints"))
    row = call.end()
    assert recorder.shown(str(row["id"]))["purpose"] == "complaints"


def test_only_the_recorders_own_user_gives_orders_and_only_to_one_that_runs(recorder: Recorder):
    assert stat.S_IMODE((recorder.data / control.NAME).stat().st_mode) == 0o600
    with pytest.raises(ControlError, match="the call is over"):
        control.ask(recorder.data, Order("pause", "0" * 32, "user:anna"))
    recorder.stop(signal.SIGINT)
    with pytest.raises(NotRunning):
        control.ask(recorder.data, Order("pause", "0" * 32, "user:anna"))
