"""srs import as people use it: files, and a folder that is watched."""

import json
import shutil
import struct
import subprocess
import time
from pathlib import Path

import pytest
from support.capture import Capture, packet
from support.commands import command
from support.recorder import SRS
from support.scene import AUDIO, Scene, stream
from support.scene import speech as codes

from srs.siprec import metadata
from tests.archive.test_intake import made
from tests.support import mirror

PATIENCE_S = 30.0


def srs(*words, data):
    return subprocess.CompletedProcess(words, *command({}, *words, "--data", data))


def written(path: Path, *calls) -> Path:
    packets = sorted((item for call in calls for item in call.packets()), key=lambda item: item[0])
    path.write_bytes(mirror.pcap([(ms, mirror.framed(packet)) for ms, packet in packets]))
    return path


def until(condition, seconds=PATIENCE_S):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_calls_of_a_mirror_port_become_recordings(tmp_path):
    answered, other = made(), made("2@example.com", 2, ports=(41_000, 42_000), parties=("carol", "dave"))
    ringing = mirror.Call("3@example.com", at_ms=500)
    ringing.set_up().sip[2:] = []
    path = written(tmp_path / "mirror.pcap", answered, other, ringing)
    done = srs("import", str(path), data=tmp_path / "data")
    assert done.returncode == 1
    assert len(done.stdout.split()) == 3
    assert f"srs: {path}: call 3@example.com: no audio stream was accepted" in done.stderr
    assert done.stderr.splitlines()[-1] == f"srs: {path}: 3 calls, 2 recordings made, 1 without sound: see above"
    listed = srs("list", "--json", "--state", "ready", data=tmp_path / "data")
    rows = {row["call_id"]: row for row in map(json.loads, listed.stdout.splitlines())}
    assert set(rows) == {"1@example.com", "2@example.com"}
    assert [leg["aor"] for leg in rows["2@example.com"]["legs"]] == ["sip:carol@example.com", "sip:dave@example.com"]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is missing: apt-get install tshark")
def test_tshark_counts_the_same_packets(tmp_path):
    """VLAN tags, SIP in fragments, losses; a stream that no call asked for is left out, and said to be."""
    call = made(filler=3000)
    call.rtp = [each for index, each in enumerate(call.rtp) if index not in (10, 11, 12, 80)]
    stray = [(ms + 0.5, payload, (mirror.BOB, 50_000), (mirror.ALICE, 50_002)) for ms, payload, *_ in call.rtp[:7]]
    packets = [*call.packets(), *((ms, mirror.ip_packet(*rest)) for ms, *rest in stray)]
    pieces = [
        (ms, mirror.framed(piece, ((0x8100, 7),)))
        for ms, packet in sorted(packets, key=lambda item: item[0])
        for piece in (mirror.fragments(packet, 1480, 9) if len(packet) > 1500 else [packet])
    ]
    path = tmp_path / "mirror.pcap"
    path.write_bytes(mirror.pcap(pieces))
    command = ["tshark", "-r", str(path), "-q", "-z", "rtp,streams"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    theirs = {row[6]: int(row[8]) for row in map(str.split, told.splitlines()) if len(row) > 10 and row[6][:2] == "0x"}
    done = srs("import", str(path), data=tmp_path / "data")
    assert done.returncode == 0
    (id_,) = done.stdout.split()
    shown = json.loads(srs("show", id_, "--json", data=tmp_path / "data").stdout)
    ours = {f"0x{leg['ssrcs'][0]}": leg["packets"] for leg in shown["leg_facts"]}
    assert {ssrc: count for ssrc, count in theirs.items() if ssrc in ours} == ours
    assert sorted(ours.values()) == [47, 49]
    assert f"srs: {path}: 7 UDP datagrams belong to no call" in done.stderr


def test_a_recording_session_that_a_mirror_port_saw(tmp_path):
    scene = Scene()
    scene.offer(0, AUDIO, AUDIO, metadata=metadata.write("1", ["sip:alice@example.com", "sip:bob@example.com"]))
    for leg in (0, 1):
        for index, datagram in enumerate(stream(codes(1, leg), ssrc=leg)):
            scene.rtp(20 * index, leg, datagram)
    scene.bye(1000)
    octets, at, frames = scene.write(tmp_path / "own.pcap").read_bytes(), 24, []
    while at < len(octets):
        seconds, ns, size, _ = struct.unpack_from("<IIII", octets, at)
        since_ms = (seconds * 10**9 + ns - mirror.START_NS) / 1e6
        frames.append((since_ms, mirror.framed(octets[at + 16 : at + 16 + size], ((0x8100, 7),))))
        at += 16 + size
    (tmp_path / "seen.pcap").write_bytes(mirror.pcap(frames, nanoseconds=True)[:-30])
    for name in ("own", "seen"):
        done = srs("import", str(tmp_path / f"{name}.pcap"), data=tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert done.stderr.splitlines()[-1].endswith(f"{name}.pcap: 1 call, 1 recording made")
        (row,) = map(json.loads, srs("list", "--json", data=tmp_path / name).stdout.splitlines())
        assert [(leg["label"], leg["packets"]) for leg in row["legs"]] == [("1", 50), ("2", 50)]
    assert "octets at the end form no whole record" in done.stderr


def test_what_is_no_capture_and_what_has_no_call_are_told(tmp_path):
    (tmp_path / "text.pcap").write_text("this is a text, and no capture at all")
    (tmp_path / "empty.pcap").write_bytes(mirror.pcap([]))
    done = srs("import", str(tmp_path / "text.pcap"), str(tmp_path / "empty.pcap"), data=tmp_path / "data")
    assert done.returncode == 1
    assert "no capture" in done.stderr
    assert "there is no call in it" in done.stderr


def test_what_cannot_be_decoded_is_told_and_exported_as_it_came(tmp_path):
    capture = Capture()
    capture.offer(0, ("audio RTP/AVP 97 0", "rtpmap:97 EVS/16000"))
    for index in range(100):
        octets = packet(index, b"evs", 97) if index < 50 else packet(index, bytes(160))
        capture.rtp(20 * index, 0, octets)
    capture.bye(2000)
    path, data = capture.write(tmp_path / "1.pcap"), tmp_path / "data"
    done = srs("import", str(path), data=data)
    assert done.returncode == 0
    problem = "leg 1: 50 packets of EVS cannot be decoded: srs export ID --format pcap has them as they came"
    assert f"srs: {path}: {problem}" in done.stderr
    (id_,) = done.stdout.split()
    assert json.loads(srs("show", id_, "--json", data=data).stdout)["facts"]["problems"] == [problem]
    assert srs("export", id_, "--format", "pcap", "-o", str(tmp_path / "2.pcap"), data=data).returncode == 0
    assert (tmp_path / "2.pcap").read_bytes() == path.read_bytes()


def test_a_folder_is_followed(tmp_path):
    folder, data = tmp_path / "in", tmp_path / "data"
    folder.mkdir()
    written(folder / "1.pcap", made())
    watcher = subprocess.Popen([*SRS, "import", "--watch", str(folder), "--data", str(data)])
    try:
        until((folder / "done" / "1.pcap").exists)
        (folder / "bad.pcap").write_text("this is a text, and no capture at all")
        octets = written(tmp_path / "2.pcap", made("2@example.com")).read_bytes()
        with (folder / "2.pcap").open("wb") as growing:  # slower than the look for what rests
            for first in range(0, len(octets), len(octets) // 8):
                growing.write(octets[first : first + len(octets) // 8])
                growing.flush()
                time.sleep(0.5)
        until((folder / "done" / "2.pcap").exists)
        until((folder / "failed" / "bad.pcap").exists)
    finally:
        watcher.terminate()
        watcher.wait(PATIENCE_S)
    rows = [json.loads(line) for line in srs("list", "--json", data=data).stdout.splitlines()]
    assert sorted(row["call_id"] for row in rows) == ["1@example.com", "2@example.com"]
    assert [leg["packets"] for row in rows for leg in row["legs"]] == [50] * 4


def test_a_recording_is_shown_and_drawn(tmp_path):
    data = tmp_path / "data"
    (id_,) = srs("import", str(written(tmp_path / "1.pcap", made())), data=data).stdout.split()
    assert "MOS 4.41 (R 93.2); 0.00 % lost" in srs("show", id_, data=data).stdout.replace("\n", " ")
    for name, status in (("1.png", 0), ("1.txt", 2)):
        done = srs("show", id_, "--plot", str(tmp_path / name), data=data)
        assert (done.returncode, (tmp_path / name).exists()) == (status, status == 0), done.stderr
