"""Keys: a recorder that cannot play what it records, rotation, and the end of a key, through `srs`."""

import json
import subprocess
from pathlib import Path

from support.calls import noise
from support.recorder import Recorder

from .conftest import Record, done, recordings, srs, talk

CALLER, AGENT = "sip:0201234567@example.com", "sip:201@example.com"


def test_a_recorder_with_public_keys_only_then_new_keys_then_the_end_of_one(recorder: Record, tmp_path: Path):
    keys, safe = tmp_path / "data" / "keys", tmp_path / "safe"
    safe.mkdir()
    keys.mkdir(parents=True)
    (keys / "old.key").write_text(subprocess.run(["age-keygen"], capture_output=True, text=True, check=True).stdout)
    public = subprocess.run(["age-keygen", "-y", keys / "old.key"], capture_output=True, text=True, check=True).stdout
    (keys / "old.pub").write_text(public)
    (keys / "old.key").rename(safe / "old.key")

    running = recorder('[privacy]\nkey = "old"\n')
    talk(running, CALLER, AGENT, noise(1, 0.4), noise(2, 0.4))
    first = recordings(running, 1)[0]
    assert (first["key"], first["state"]) == ("old", "ready")
    status, said = srs(running, "export", first["id"], "-o", tmp_path / "no.wav")
    assert (status, f"recording {first['id']} is sealed for key old, and that is not here" in said) == (1, True)
    assert "old                  does not open here, 1 recordings" in done(running, "keys", "list")
    files = [path for path in running.data.rglob("*") if path.is_file() and ".sqlite" not in path.name]
    assert not any(b"RIFF" in path.read_bytes() for path in files)
    opened = tmp_path / "elsewhere.wav"
    subprocess.run(["age", "-d", "-i", safe / "old.key", "-o", opened, first["file"]], check=True)

    done(running, "keys", "new", "new")
    (tmp_path / "srs.toml").write_text('[privacy]\nkey = "new"\n')
    running.stop()
    running.start()
    talk(running, CALLER, AGENT, noise(3, 0.4), noise(4, 0.4))
    second = recordings(running, 2)[0]
    assert second["key"] == "new"
    (safe / "old.key").rename(keys / "old.key")
    for row in (first, second):
        done(running, "export", row["id"], "-o", tmp_path / f"{row['key']}.wav")
    assert (tmp_path / "old.wav").read_bytes() == opened.read_bytes()

    done(running, "hold", first["id"])
    status, said = srs(running, "keys", "destroy", "old", "--yes")
    assert (status, "under legal hold" in said) == (1, True)
    done(running, "hold", first["id"], "--release")
    done(running, "keys", "destroy", "old", "--yes")
    assert srs(running, "export", first["id"], "-o", tmp_path / "no.wav")[0] == 1
    done(running, "export", second["id"], "-o", tmp_path / "again.wav")
    acts = [json.loads(line) for line in done(running, "audit", "list", "--on", "key:*", "--json").splitlines()]
    assert [(each["action"], each["subject"], each["allowed"]) for each in acts] == [
        ("new key", "key:new", True),
        ("destroy key", "key:old", True),
        ("destroy key", "key:old", False),
        ("destroy key", "key:old", True),
    ]
    _check_refusals(running)
    done(running, "export", second["id"], "-o", tmp_path / "still.wav")


def _check_refusals(running: Recorder) -> None:
    """What is no key to be destroyed, or must not be."""
    refusals = {
        "new": "name that in the settings",  # what calls to come are sealed for
        "cases/0123": "no name of a key",  # a case ends by its own people
        "../srs": "no name of a key",
    }
    for name, why in refusals.items():
        status, said = srs(running, "keys", "destroy", name, "--yes")
        assert (status, why in said) == (1, True), said
    assert "no name of a key" in srs(running, "keys", "new", "../evil")[1]
