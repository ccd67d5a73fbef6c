"""Access, erasure, restriction and restored backups, through `srs` with a recorded call."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.calls import noise
from support.heard import samples
from support.recorder import until

from srs.privacy.person import same

from .conftest import Record, done, recordings, srs, talk

CALLER, AGENT = "sip:+31201234567@example.com", "sip:201@example.com"


def test_a_person_finds_gets_restricts_and_erases_what_there_is_of_them(recorder: Record, tmp_path: Path):
    running = recorder("")
    talk(running, CALLER, AGENT, noise(1, 0.4), noise(2, 0.4))
    talk(running, "sip:0209999999@example.com", AGENT, noise(3, 0.4), noise(4, 0.4))
    other, own = recordings(running, 2)
    found = [json.loads(line)["id"] for line in done(running, "person", "020-1234567", "--json").splitlines()]
    assert found == [own["id"]]

    folder = tmp_path / "access"
    done(running, "access", "0201234567", "-o", folder)
    told = json.loads((folder / "recordings.json").read_text())
    assert [(each["id"], each["purpose"], "file" in each) for each in told] == [(own["id"], None, False)]
    whole, given = samples(Path(own["file"])), samples(folder / told[0]["result"])
    assert given.shape == whole.shape
    assert np.array_equal(given[:, 0], whole[:, 0])
    assert (np.abs(whole[:, 1]).max(), np.abs(given[:, 1]).max()) == (pytest.approx(20000, abs=2000), 0)

    assert done(running, "restrict", "0201234567") == f"held {own['id']}\n"
    assert own["id"][:8] in done(running, "holds")
    receipt = json.loads(done(running, "erase", "0201234567", "--yes"))
    assert [each["result"] for each in receipt["recordings"]] == ["kept: legal hold"]
    assert Path(own["file"]).exists()
    done(running, "restrict", "0201234567", "--release")
    assert done(running, "holds") == ""

    status, said = srs(running, "erase", "0201234567")
    assert (status, "for good?" in said) == (1, True)
    assert Path(own["file"]).exists()
    done(running, "erase", "0201234567", "--yes", "-o", tmp_path / "receipt.json")
    erased = json.loads((tmp_path / "receipt.json").read_text())["recordings"][0]
    assert (erased["id"], erased["result"]) == (own["id"], "erased")
    assert {"kind": "sound", "where": own["file"], "became": "deleted"} in erased["copies"]
    assert not Path(own["file"]).exists()
    assert Path(other["file"]).exists()
    assert "no sound" in done(running, "person", "0201234567")
    assert "There is no recording" in done(running, "person", "0612345678")
    done(running, "access", "0201234567", "-o", tmp_path / "again")
    assert json.loads((tmp_path / "again" / "recordings.json").read_text())[0]["state"] == "deleted"
    told = [json.loads(line) for line in done(running, "audit", "list", "--on", "person:0201*", "--json").splitlines()]
    assert [each["action"] for each in told] == [
        *("access", "rights.access", "restrict", "rights.restriction", "erase", "rights.erasure"),
        *("release", "rights.release", "erase", "rights.erasure", "person", "access", "rights.access"),
    ]


def test_an_erased_recording_that_a_backup_brings_back_is_erased_again(recorder: Record, tmp_path: Path):
    running = recorder("")
    talk(running, CALLER, AGENT, noise(1, 0.4), noise(2, 0.4))
    sound = Path(recordings(running, 1)[0]["file"])
    running.stop()
    backup = tmp_path / "backup"
    shutil.copytree(running.data, backup, ignore=shutil.ignore_patterns("*-shm", "*.sock"))
    done(running, "erase", "0201234567", "--yes")
    assert not sound.exists()

    (backup / "erased.jsonl").unlink(missing_ok=True)
    for name in ("recordings.sqlite", "recordings.sqlite-wal", "recordings.sqlite-shm"):
        (running.data / name).unlink(missing_ok=True)
    shutil.copytree(backup, running.data, dirs_exist_ok=True)
    assert sound.exists()
    running.start()
    until(lambda: not sound.exists(), running.log.read_text)
    until(lambda: "came back with a backup and is erased again" in running.log.read_text(), running.log.read_text)
    assert recordings(running, 1, "deleted")[0]["state"] == "deleted"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("sip:+31201234567@a.example", "020-1234567", True),
        ("0031201234567", "+31201234567", True),
        ("sip:alice@example.com", "ALICE", True),
        ("Alice Jansen", "alice jansen", True),
        ("201", "sip:1201@example.com", False),
        ("0201234567", "0201234568", False),
        ("alice", "alice2", False),
    ],
)
def test_who_is_the_same(one: str, other: str, expected: bool):
    assert same(one, other) is same(other, one) is expected
