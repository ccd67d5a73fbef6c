"""The commands, as people and scripts use them."""

import json
import os
import re
import resource
import socket
import subprocess
import sys
import wave
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.commands import at_home, srs

from srs import cli
from srs.archive.audio import wav_header
from srs.archive.database import connect, writing
from srs.archive.store import open_store
from srs.archive.tables import Leg, Notice, Recording
from srs.commands import machine
from srs.sip.address import ListenAddress

__all__ = ["at_home", "srs"]

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a recording of one second, `aaaa1111`, and one that failed, `aaaa2222`."""
    folder = tmp_path / "xdg" / "siprec-srs"
    engine, store = connect(f"sqlite:///{folder}/recordings.sqlite"), open_store((folder / "audio").as_uri())
    sound = tmp_path / "sound.wav"
    sound.write_bytes(wav_header(2, 8000, 32000) + bytes(32000))
    with sound.open("rb") as file:
        store.put("2026/11/24/aaaa1111.wav", file)
    common = {"started_at": START, "ended_at": START, "created_at": START}
    with writing(engine) as session:
        session.add(
            Recording(
                **common,
                id="aaaa1111",
                call_id="call-1",
                state="ready",
                duration_s=3661.2,
                caller="sip:alice@example.com;user=phone",
                callee="sip:[bold]bob@example.com",
                file="2026/11/24/aaaa1111.wav",
                format="wav",
                bytes=32044,
                sha256="00",
                legs=[Leg(channel=0, label="1", codec="PCMU", packets=50, facts={"gaps": [[0.5, 0.02]]})],
            )
        )
        session.add(Recording(**common, id="aaaa2222", state="failed", reason="there is no SIP in it", duration_s=0))
    engine.dispose()
    return folder


def test_list_for_people(srs, data: Path):
    status, out, err = srs("list")
    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 100
    ready = next(line for line in out.splitlines() if "aaaa1111" in line)
    assert ready.split() == [
        "aaaa1111",
        "2026-11-24",
        "12:00:00",
        "1:01:01",
        "alice@example.com",
        "[bold]bob@example.com",
        "ready",
    ]


def test_list_for_programs(srs, data: Path):
    _, out, _ = srs("list", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["id"], row["state"]) for row in rows] == [("aaaa2222", "failed"), ("aaaa1111", "ready")]
    assert rows[1]["file"] == str(data / "audio/2026/11/24/aaaa1111.wav")


def test_list_chooses(srs, data: Path):
    chosen = {
        ("--state", "failed"): ["aaaa2222"],
        ("--limit", "1"): ["aaaa2222"],
        ("--caller", "alice"): ["aaaa1111"],
        ("--caller", "nobody"): [],
    }
    for words, ids in chosen.items():
        _, out, _ = srs("list", "--json", *words)
        assert [json.loads(line)["id"] for line in out.splitlines()] == ids
    assert srs("list", "--caller", "nobody")[1] == "There are no such recordings.\n"


def test_show(srs, data: Path):
    _, out, _ = srs("show", "aaaa1111", "--json")
    assert json.loads(out)["leg_facts"] == [{"label": "1", "gaps": [[0.5, 0.02]]}]
    _, out, _ = srs("show", "aaaa1")
    assert "[bold]bob@example.com" in out
    assert "channel 1" in out
    assert "gaps" in out
    _, out, _ = srs("show", "aaaa2")
    assert "there is no SIP in it" in out


@pytest.mark.parametrize("words", [["--format", "wav", "-o", "x"], ["-o", "x.wav"]])
def test_export(srs, data: Path, tmp_path: Path, words: list[str]):
    assert srs("export", "aaaa1", *words) == (0, "", "")
    with wave.open(str(tmp_path / words[-1])) as sound:
        assert sound.getnframes() == 8000


def test_export_as_vcon_and_json(srs, data: Path, tmp_path: Path):
    assert srs("export", "aaaa1", "-o", "x.vcon") == (0, "", "")
    (dialog,) = json.loads((tmp_path / "x.vcon").read_text())["dialog"]
    assert (dialog["type"], dialog["filename"]) == ("recording", "aaaa1111.wav")
    assert srs("export", "aaaa2", "--format", "json", "-o", "x") == (0, "", "")
    assert json.loads((tmp_path / "x").read_text())["state"] == "failed"
    status, _, error = srs("export", "aaaa2", "-o", "y.vcon")
    assert status == 1
    assert "has no sound" in error
    assert not (tmp_path / "y.vcon").exists()


def test_reconcile(srs, data: Path, tmp_path: Path):
    (tmp_path / "srs.toml").write_text('[reconcile]\nlike = "freepbx"')
    heading = "calldate,src,dst,billsec,disposition,uniqueid"
    (tmp_path / "calls.csv").write_text(f"{heading}\n2026-11-24 12:00:01,alice,,1,ANSWERED,\n")
    assert srs("reconcile", "calls.csv")[:2] == (0, "1 calls, 1 recorded once and whole, and nobody left untold.\n")
    with (tmp_path / "calls.csv").open("a") as file:
        file.write("2026-11-24 13:00:01,201,0201234567,60,ANSWERED,\n")
    status, out, _ = srs("reconcile", "calls.csv")
    assert status == 1
    assert "missing" in out
    status, out, _ = srs("reconcile", "calls.csv", "--json")
    assert [json.loads(line)["verdict"] for line in out.splitlines()] == ["recorded", "missing"]
    with writing(connect(f"sqlite:///{data}/recordings.sqlite")) as session:
        session.add(Notice(recording_id="aaaa1111", place=0, state="missing"))
    assert "without notice" in srs("reconcile", "calls.csv")[1]
    (tmp_path / "calls.csv").write_text("a,b\n1,2\n")
    status, _, error = srs("reconcile", "calls.csv")
    assert (status, "line 2" in error) == (1, True)


def test_export_asks_for_a_format(srs, data: Path):
    assert srs("export", "aaaa1", "-o", "x")[0] == 2
    assert srs("export", "aaaa1", "-o", "x", "--format", "ogg")[0] == 2


def test_delete_hold_and_release(srs, data: Path):
    sound = data / "audio/2026/11/24/aaaa1111.wav"
    assert srs("delete", "aaaa1")[0] == 2  # nobody to ask
    assert srs("hold", "aaaa1") == (0, "held aaaa1111\n", "")
    assert "ready held" in srs("list")[1]
    status, _, err = srs("delete", "aaaa1", "--yes")
    assert (status, sound.exists()) == (1, True)
    assert "under legal hold" in err
    assert srs("hold", "aaaa1", "--release") == (0, "released aaaa1111\n", "")
    assert srs("delete", "aaaa1", "--yes") == (0, "deleted aaaa1111\n", "")
    assert not sound.exists()
    assert json.loads(srs("list", "--json", "--state", "deleted")[1])["file"] is None


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["show", "aaaa"], 1, "srs: several recordings begin with 'aaaa': aaaa1111, aaaa2222"),
        (["show", "bbbb"], 1, "srs: there is no recording 'bbbb'"),
        (["export", "aaaa2", "-o", "x.wav"], 1, "srs: recording aaaa2222 has no sound: it is failed"),
        (["export", "aaaa1", "-o", "none/x.wav"], 1, "No such file or directory"),
        (["list", "--config", "none.toml"], 2, "srs: none.toml: No such file or directory"),
        (["list", "--state", "odd"], 2, "must be one of recording, captured"),
        (["list", "--data", "sound.wav"], 1, "srs: "),
        (["nonsense"], 2, "No such command"),
        (["import", "none.pcap"], 1, "none.pcap: No such file or directory"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(srs, data: Path, words: list[str], status: int, said: str):
    found, out, err = srs(*words)
    assert (found, out) == (status, "")
    assert said in err
    assert "Traceback" not in err


def test_every_command_takes_config_and_data(srs):
    """But `call`, which speaks to a recorder as an SBC does and uses no setting of ours."""
    commands = [command.name for command in cli.app.registered_commands if command.name != "call"]
    for command in commands:
        out = srs(command, "--help")[1]
        assert "--config FILE" in out, command
        assert "--data DIR" in out, command


def test_version(srs):
    assert srs("--version")[:2] == (0, "srs 0.1.0\n")


def test_a_reader_that_has_seen_enough_hears_no_complaint(data: Path):
    reading, writing_ = os.pipe()
    os.close(reading)
    with os.fdopen(writing_, "wb") as out:
        command = [sys.executable, "-m", "srs.cli", "list", "--json"]
        done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, check=False)
    assert done.stderr == b""


def test_list_loads_no_decoder(data: Path):
    program = "import sys\nfrom srs import cli\nsys.argv = ['srs', 'list']\ntry: cli.main()\nexcept SystemExit: pass\n"
    heavy = "print('HEAVY', *({'numpy', 'av', 'lxml', 'alembic', 'structlog', 'uvloop'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", program + heavy], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "HEAVY"


# Doctor


def test_doctor_shows_settings_with_their_origin(srs, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SRS_SIP__LISTEN", "udp://127.0.0.1:0")
    monkeypatch.setenv("SRS_DATABASE__URL", "sqlite://user:hush-hush@/x")
    status, out, _ = srs("doctor")
    assert status == 0
    assert "udp://127.0.0.1:0  (environment SRS_SIP__LISTEN)" in out
    assert "hush-hush" not in out
    assert "mend [database] url" in out


def test_doctor_fails_where_nothing_can_be_recorded(srs, tmp_path: Path):
    (tmp_path / "file").touch()
    status, out, _ = srs("doctor", "--data", tmp_path / "file")
    assert status == 1
    assert "stop data folder" in out


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_doctor_sees_a_port_in_use(transport: str):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM) as other:
        other.bind(("127.0.0.1", 0))
        if transport == "tcp":
            other.listen()
        address = ListenAddress.parse(f"{transport}://127.0.0.1:{other.getsockname()[1]}")
        assert machine.check_port(address).level == "note"
    assert machine.check_port(address).level == "ok"


def test_doctor_sees_an_address_of_another_host():
    finding = machine.check_port(ListenAddress.parse("udp://192.0.2.1:5060"))
    assert (finding.level, "address of this host" in finding.mend) == ("stop", True)


def test_doctor_sees_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine, "LEAST_FREE", 0)
    free, speed = machine.check_data_dir(tmp_path)
    assert (free.level, "MB/s" in speed.what) == ("ok", True)
    monkeypatch.setattr(machine, "LEAST_FREE", 1 << 62)
    assert [finding.level for finding in machine.check_data_dir(tmp_path)] == ["stop"]


def test_doctor_judges_the_speed_of_the_disk(tmp_path: Path):
    slow, quick = (machine.check_disk_speed(tmp_path, megabytes * 1e6) for megabytes in (6, 60))
    assert (slow.level, "100 calls" in slow.what, "faster disk" in slow.mend) == ("note", True, True)
    assert (quick.level, "1000 calls" in quick.what) == ("ok", True)


def test_doctor_sees_a_clock_that_nobody_sets():
    assert machine.check_clock(synchronised=True).level == "ok"
    finding = machine.check_clock(synchronised=False)
    assert (finding.level, "chrony" in finding.mend) == ("note", True)
    assert isinstance(machine.is_clock_synchronised(), bool)


def test_doctor_sees_media_ports_that_any_program_may_get():
    first, last = machine.ephemeral_ports()
    assert 0 < first < last < 1 << 16
    assert machine.check_media_ports((16384, 32766), (32768, 60999)).level == "ok"
    finding = machine.check_media_ports((30000, 40000), (32768, 60999))
    assert (finding.level, "ip_local_reserved_ports=30000-40000" in finding.mend) == ("note", True)


@pytest.mark.parametrize(("limit", "level"), [(1024, "note"), (30_000, "ok"), (resource.RLIM_INFINITY, "ok")])
def test_doctor_counts_descriptors(limit: int, level: str):
    assert machine.check_descriptors((16384, 32766), limit).level == level


def test_doctor_says_how_many_calls_the_kernel_holds():
    """4,096 pages of 4 KiB are 16 MiB: 14 calls of 1.152 MB."""
    assert machine.check_udp_memory([1, 2, 4096], 14).level == "ok"
    finding = machine.check_udp_memory([1, 2, 4096], 15)
    assert (finding.level, "5 s of 14 calls" in finding.what) == ("note", True)
    (wanted,) = re.findall(r"udp_mem='\d+ \d+ (\d+)'", finding.mend)
    assert machine.check_udp_memory([1, 2, int(wanted)], 15).level == "ok"
    assert machine.check_udp_memory([1, 2, int(wanted) - 1], 15).level == "note"


def test_doctor_wants_large_receive_buffers():
    assert machine.check_receive_buffer(212_992, privileged=False).level == "note"
    assert machine.check_receive_buffer(212_992, privileged=True).level == "ok"
    assert machine.check_receive_buffer(4 << 20, privileged=False).level == "ok"
