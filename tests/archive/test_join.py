"""The two sessions of a call that a phone forks, as one recording."""

import dataclasses

import numpy as np
import pytest
from support.archive import finalise as single
from support.heard import whole
from support.scene import AUDIO, MS, START_NS, THERE, Scene, speech, stream

from rtp.codecs import mu_law
from srs.archive import captures
from srs.archive.catalogue import Filter, entries
from srs.archive.finalise import NoSession, channels
from srs.archive.join import finalise
from srs.archive.keep import Archive, keep
from srs.handoff.worker import keep_all


class Leg(Scene):
    """One leg of a Built-in-Bridge call, with a dialog and a port of its own."""

    def __init__(self, side, late_ms=0):
        super().__init__()
        self.side, self.late_ms = side, late_ms

    def datagram(self, ms, payload, source, destination):
        super().datagram(ms + self.late_ms, payload, source, destination)

    def _headers(self, method):
        told = f";x-{self.side}end;x-refci=1;x-nearendaddr=7001;x-farendrefci=2;x-farendaddr=7002"
        named = {"From": f"<sip:7001@{THERE}{told}>;tag=1", "Call-ID": f"{self.side}@example.com"}
        for line in super()._headers(method):
            name = line.partition(":")[0]
            yield f"{name}: {named[name]}" if name in named else line


def write(path, side, seed, late_ms=0.0, seconds=2, bye=2500):
    leg, codes = Leg(side, late_ms), speech(seconds, seed)
    leg.offer(0, AUDIO)
    for index, datagram in enumerate(stream(codes)):
        leg.rtp(100 + 20 * index, 0, datagram)
    leg.bye(bye)
    path.parent.mkdir(parents=True, exist_ok=True)
    return leg.write(path), mu_law()[codes].astype(np.int16).reshape(-1)


@pytest.mark.parametrize("late_ms", [(0, 400), (400, 0)], ids=["near first", "far first"])
def test_near_left_far_right_on_one_clock(tmp_path, late_ms):
    near, near_sound = write(tmp_path / "a1.pcap", "near", 1, late_ms[0])
    _, far_sound = write(tmp_path / "a1-far.pcap", "far", 2, late_ms[1])
    (recording,) = finalise(near)
    assert (recording.caller, recording.callee) == ("sip:7001", "sip:7002")
    assert (recording.call_id, recording.session_id) == ("near@example.com", "1-2")
    assert (recording.started_ns, recording.ended_ns) == (START_NS, START_NS + 2900 * MS)
    beside = channels(recording)
    sound, rate = whole(beside), beside.rate
    assert (sound.shape, rate) == ((8 * 2900, 2), 8000)
    for channel, (own, late) in enumerate(zip((near_sound, far_sound), late_ms, strict=True)):
        begin = 8 * (100 + late)
        assert np.array_equal(sound[begin : begin + len(own), channel], own)
        assert not sound[:begin, channel].any()
    assert recording.facts["call_ids"] == ["near@example.com", "far@example.com"]
    spoke = [(each["aor"], each["from_s"]) for each in recording.facts["participants"]]
    assert spoke == [("sip:7001", late_ms[0] / 1000), ("sip:7002", late_ms[1] / 1000)]


def test_times_of_the_later_leg_are_on_the_clock_of_the_whole(tmp_path):
    near, _ = write(tmp_path / "a1.pcap", "near", 1)
    far = Leg("far", late_ms=1000)
    far.offer(0, AUDIO)
    for index, datagram in enumerate(stream(speech(1, 2))):
        if index != 20:
            far.rtp(20 * index, 0, datagram)
    far.bye(1200)
    far.write(tmp_path / "a1-far.pcap")
    (recording,) = finalise(near)
    assert recording.legs[1].facts.gaps == [(pytest.approx(1.4), pytest.approx(0.02))]


def test_a_leg_without_sound_costs_the_other_nothing(tmp_path):
    near, _ = write(tmp_path / "a1.pcap", "near", 1)
    alone = dataclasses.asdict(single(near).legs[0].facts)
    empty = Leg("far")
    empty.request(0, "INVITE")
    empty.response(1, "INVITE", status="503 No")
    empty.write(tmp_path / "a1-far.pcap")
    (recording,) = finalise(near)
    assert [dataclasses.asdict(leg.facts) for leg in recording.legs] == [alone]


def test_two_legs_without_sound_are_no_recording(tmp_path):
    for name, side in (("a1", "near"), ("a1-far", "far")):
        empty = Leg(side)
        empty.request(0, "INVITE")
        empty.write(tmp_path / f"{name}.pcap")
    with pytest.raises(NoSession):
        finalise(tmp_path / "a1.pcap")


@pytest.fixture
def real(archive: Archive) -> Archive:
    return dataclasses.replace(archive, finalise=finalise, channels=channels, refusals=(NoSession,))


def test_both_captures_become_one_recording_and_go(real: Archive):
    ended = real.data_dir / "captures" / "ended"
    write(ended / "a1.pcap", "near", 1)
    write(ended / "a1-far.pcap", "far", 2)
    assert keep_all(real, lambda: False) is None
    (row,) = entries(real.engine, real.data_dir, Filter())
    assert (row.id, row.state, len(row.legs)) == ("a1", "ready", 2)
    assert list(ended.iterdir()) == []


def test_the_near_leg_waits_for_the_far_one(real: Archive):
    folder = real.data_dir / "captures"
    near, _ = write(folder / "ended" / "a1.pcap", "near", 1)
    far, _ = write(folder / "open" / "a1-far.pcap", "far", 2)
    assert keep_all(real, lambda: False) is None
    assert near.exists()
    assert captures.waiting(real.data_dir, "open") == []
    far.rename(folder / "ended" / far.name)
    assert keep_all(real, lambda: False) is None
    assert not near.exists()


def test_a_far_leg_alone_is_a_recording(real: Archive):
    write(real.data_dir / "captures" / "ended" / "a1-far.pcap", "far", 2)
    assert keep_all(real, lambda: False) is None
    (row,) = entries(real.engine, real.data_dir, Filter())
    assert (row.id, row.caller) == ("a1-far", "sip:7002")


def test_cut_off_between_the_captures_it_is_still_one_recording(real: Archive, monkeypatch):
    """The far capture goes first: what is left of the near one is known to be safe."""
    ended = real.data_dir / "captures" / "ended"
    near, _ = write(ended / "a1.pcap", "near", 1)
    write(ended / "a1-far.pcap", "far", 2)
    octets = near.read_bytes()
    keep(real, near)
    near.write_bytes(octets)
    (row,) = keep(real, near)
    assert len(row.legs) == 2
    assert list(ended.iterdir()) == []
