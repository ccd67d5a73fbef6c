"""Captures of a mirror port: ordinary calls of both parties, in every form in which they come."""

import shutil
import struct
import subprocess

import numpy as np
import pytest

from rtp.codecs import mu_law
from srs.archive.finalise import finalise
from srs.archive.intake import take_apart, write
from tests.support import mirror
from tests.support.mirror import ALICE, BOB, START_NS, Call

VLAN, QINQ = ((0x8100, 7),), ((0x88A8, 7), (0x8100, 8))


def speech(seed, packets=50):
    return np.random.default_rng(seed).integers(0, 256, (packets, 160), dtype=np.uint8)


def made(call_id="1@example.com", seed=1, filler=0, **others):
    codes = [speech(seed), speech(seed + 100)]
    return Call(call_id, **others).set_up(filler).talk(codes).end(1100)


@pytest.fixture
def recordings(tmp_path):
    """Takes a capture apart and finalises each call."""

    def take(octets, name="mirror.pcap"):
        path = tmp_path / name
        path.write_bytes(octets)
        taken, found = take_apart(path), []
        for number, call in enumerate(taken.calls):
            target = tmp_path / f"{number}.pcap"
            write(taken, call, target)
            found += finalise(target)
        return found, taken

    return take


def check(recording, call):
    """Caller left, callee right, every sample."""
    assert recording.call_id == call.call_id
    assert (recording.caller, recording.callee) == tuple(f"sip:{name}@example.com" for name in call.parties)
    assert [leg.aor for leg in recording.legs] == [recording.caller, recording.callee]
    first_ns = START_NS + round(call.at_ms * 1e6)
    for side, (leg, codes) in enumerate(zip(recording.legs, call.codes, strict=True)):
        truth = np.zeros(len(leg.samples), np.int16)
        at = round((first_ns + (20 + side) * 1_000_000 - recording.started_ns) * 8e-6)
        truth[at : at + codes.size] = mu_law()[codes].ravel()
        np.testing.assert_array_equal(leg.samples, truth)
        assert (leg.facts.packets, leg.facts.lost, leg.facts.duplicates) == (len(codes), 0, 0)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nanoseconds", [False, True])
@pytest.mark.parametrize("tags", [(), VLAN, QINQ])
def test_a_call_of_a_mirror_port_has_the_caller_left_and_the_callee_right(recordings, order, nanoseconds, tags):
    call = made()
    frames = [(ms, mirror.framed(packet, tags)) for ms, packet in call.packets()]
    (recording,), taken = recordings(mirror.pcap(frames, order=order, nanoseconds=nanoseconds))
    check(recording, call)
    assert taken.left_over() == []


SLL = struct.pack("!HHH8sH", 0, 1, 6, bytes(8), 0x0800)
SLL2 = struct.pack("!HHIHBB8s", 0x0800, 0, 1, 1, 0, 6, bytes(8))


@pytest.mark.parametrize(
    ("link", "header"), [(101, b""), (113, SLL), (276, SLL2), (0, b"\x02\0\0\0"), (108, b"\0\0\0\x02"), (228, b"")]
)
def test_every_link_type(recordings, link, header):
    call = made()
    (recording,), _ = recordings(mirror.pcap([(ms, header + packet) for ms, packet in call.packets()], link=link))
    check(recording, call)


@pytest.mark.parametrize("hosts", [(ALICE, BOB), ("2001:db8::1", "2001:db8::2")])
@pytest.mark.parametrize("backwards", [False, True])
def test_an_invite_in_fragments(recordings, hosts, backwards):
    call = made(filler=4000, hosts=hosts)
    frames = []
    for number, (ms, packet) in enumerate(call.packets()):
        parts = list(mirror.fragments(packet, 1400, number)) if len(packet) > 1500 else [packet]
        frames += [(ms, mirror.framed(part)) for part in (reversed(parts) if backwards else parts)]
    assert len(frames) > len(call.packets())
    (recording,), taken = recordings(mirror.pcap(frames))
    check(recording, call)
    assert taken.rest.incomplete == 0


def test_a_missing_fragment_is_told(recordings):
    call = made(filler=4000)
    (ms, packet), *others = call.packets()
    parts = [(ms, part) for part in list(mirror.fragments(packet, 1400, 1))[:-1]]
    found, taken = recordings(mirror.pcap([(when, mirror.framed(each)) for when, each in [*parts, *others]]))
    assert found == []
    media = len(call.rtp)  # whose places only the INVITE told, and the answer, which belongs to no call without it
    assert taken.left_over() == [
        "1 IP packets are not whole: fragments are missing",
        f"{media} UDP datagrams belong to no call",
    ]


@pytest.mark.parametrize("piece", [10_000, 300, 7])
@pytest.mark.parametrize("shuffled", [False, True])
def test_sip_over_tcp_is_put_together(recordings, piece, shuffled):
    call = made()
    frames, sequence = [(ms, packet) for ms, packet in call.packets() if b"SIP/2.0" not in packet], {}
    for ms, payload, source, destination in call.sip:
        if source not in sequence:
            frames.append((ms - 0.1, mirror.segment(b"", source, destination, 2**32 - 101, flags=2)))
        at = sequence.setdefault(source, 2**32 - 100)
        parts = [(at + first, payload[first : first + piece]) for first in range(0, len(payload), piece)]
        sequence[source] += len(payload)
        parts += parts[:1]  # sent again
        segments = [mirror.segment(octets, source, destination, place) for place, octets in parts]
        turned = segments[::-1] if shuffled else segments
        frames += [(ms + 0.001 * number, each) for number, each in enumerate(turned)]
    frames.sort(key=lambda item: item[0])
    (recording,), taken = recordings(mirror.pcap([(ms, mirror.framed(packet)) for ms, packet in frames]))
    check(recording, call)
    assert taken.unreadable == 0


def test_several_calls_at_once_and_one_after_another_on_the_same_ports(recordings):
    calls = [
        made("1@example.com"),
        made("2@example.com", 2, ports=(41_000, 42_000), at_ms=300, parties=("carol", "dave")),
        made("3@example.com", 3, at_ms=2000, parties=("erin", "bob")),
    ]
    packets = sorted((item for call in calls for item in call.packets()), key=lambda item: item[0])
    found, _ = recordings(mirror.pcap([(ms, mirror.framed(packet)) for ms, packet in packets]))
    assert len(found) == 3
    for recording, call in zip(found, calls, strict=True):
        check(recording, call)


@pytest.mark.parametrize("form", ["pcapng", "nsecpcap", "pcap"])
@pytest.mark.skipif(shutil.which("editcap") is None, reason="editcap is not installed")
def test_files_as_wireshark_writes_them(recordings, tmp_path, form):
    call = made()
    source, target = tmp_path / "source.pcap", tmp_path / f"target.{form}"
    source.write_bytes(mirror.pcap([(ms, mirror.framed(packet, VLAN)) for ms, packet in call.packets()]))
    subprocess.run(["editcap", "-F", form, source, target], check=True)
    (recording,), _ = recordings(target.read_bytes(), target.name)
    check(recording, call)


@pytest.mark.skipif(shutil.which("mergecap") is None, reason="mergecap is not installed")
def test_a_merged_file_of_two_link_types(recordings, tmp_path):
    call = made()
    for name, link, kept in (("sip", 101, True), ("rtp", 1, False)):
        packets = [(ms, packet) for ms, packet in call.packets() if (b"SIP/2.0" in packet) == kept]
        frames = packets if link == 101 else [(ms, mirror.framed(packet)) for ms, packet in packets]
        (tmp_path / f"{name}.pcap").write_bytes(mirror.pcap(frames, link=link))
    target = tmp_path / "both.pcapng"
    subprocess.run(["mergecap", "-w", target, tmp_path / "sip.pcap", tmp_path / "rtp.pcap"], check=True)
    (recording,), _ = recordings(target.read_bytes(), "merged.pcapng")
    check(recording, call)


def test_what_is_cut_off_is_told(recordings):
    call = made()
    frames = [(ms, mirror.framed(packet)) for ms, packet in call.packets()]
    (recording,), taken = recordings(mirror.pcap(frames)[:-10])
    check(recording, call)
    assert "octets at the end form no whole record" in taken.left_over()[0]
