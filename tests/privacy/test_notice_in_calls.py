"""Notice, purpose, do-not-record and sealing in whole calls, through `srs`."""

import json
import re
import subprocess
import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from support.calls import noise
from support.recorder import Recorder
from support.speech import needs_voice, say

from srs.config.hours import DAYS

from .conftest import Record, done, recordings, srs, talk, wav

CALLER, AGENT = "sip:0201234567@example.com", "sip:201@example.com"
TEXT = "Dit gesprek wordt opgenomen voor de training van onze medewerkers."


@needs_voice
def test_the_recording_says_who_was_told_and_calls_without_notice_are_listed(recorder: Record, tmp_path: Path):
    sound = say(TEXT)
    file = wav(tmp_path / "notice.wav", sound)
    running = recorder(
        f'[[purpose]]\nname = "training"\nkeep_days = 90\nnotice = "{file}"\n[[purpose_rule]]\npurpose = "training"\n'
    )
    silence = np.zeros(4000, np.int16)
    talk(running, CALLER, AGENT, noise(1, 1.0) // 40, np.concatenate([silence, sound]))
    talk(running, CALLER, AGENT, noise(2, 3.0) // 40, noise(3, 3.0) // 40)
    untold, told = recordings(running, 2)
    assert (told["purpose"], [notice["state"] for notice in told["notices"]]) == ("training", ["heard", "staff"])
    heard = told["notices"][0]
    assert (heard["party"], heard["channel"], heard["purpose"]) == (CALLER, 1, "training")
    assert heard["second"] == pytest.approx(0.5, abs=0.2)
    assert heard["score"] == 1.0
    assert [notice["state"] for notice in untold["notices"]] == ["missing", "staff"]
    lines = done(running, "notices").splitlines()
    assert lines[-1] == "1 of 2 calls without notice"
    assert lines[0].startswith(untold["id"][:8])
    assert "0201234567@example.com not told" in lines[0]
    assert [json.loads(line)["not_told"] for line in done(running, "notices", "--json").splitlines()] == [[CALLER]]
    _reported(running, tmp_path)


def _reported(running: Recorder, folder: Path) -> None:
    """The report of these two calls, in both languages and as PDF."""
    day = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}", f"{datetime.now(UTC):%Y-%m-%d}"
    for language, rate in (("nl", "50,0%"), ("en", "50.0%")):
        done(running, "report", "--from", day[0], "--to", day[1], "--language", language, "-o", folder / "report.html")
        assert f"<td>{rate}</td>" in (folder / "report.html").read_text()
    done(running, "report", "--from", day[0], "--to", day[1], "-o", folder / "report.pdf")
    text = subprocess.run(
        ["pdftotext", "-layout", folder / "report.pdf", "-"], capture_output=True, text=True, check=True
    )
    assert re.search(r"Opgenomen gesprekken +2\n", text.stdout)
    assert re.search(r"geen melding gevonden +1\n", text.stdout)


def test_a_recording_is_exported_for_its_purpose_only(recorder: Record, tmp_path: Path):
    another_day = DAYS[(datetime.now().astimezone().weekday() + 3) % 7]
    running = recorder(
        '[[purpose]]\nname = "training"\nfits = ["quality"]\nnotice = "outside"\n'
        f'[[purpose_rule]]\npurpose = "security"\nmatch = {{ number = ["201"], time = ["{another_day}"] }}\n'
        '[[purpose_rule]]\npurpose = "training"\nmatch = { number = ["201"] }\n'
    )
    talk(running, CALLER, AGENT, noise(1, 0.4), noise(2, 0.4))
    talk(running, CALLER, "sip:202@example.com", noise(1, 0.4), noise(2, 0.4))
    free, bound = recordings(running, 2)
    assert bound["notices"][0]["state"] == "outside"
    target = tmp_path / "out.wav"
    for words in ((), ("--purpose", "complaints"), ("--purpose", "investigation")):
        status, said = srs(running, "export", bound["id"], "-o", target, *words)
        assert (status, "is kept for training or quality" in said) == (1, True)
        assert not target.exists()
    for purpose in ("training", "quality"):
        done(running, "export", bound["id"], "-o", str(target), "--purpose", purpose)
        target.unlink()
    done(running, "export", free["id"], "--format", "wav", "-o", str(target))
    assert target.exists()


def test_of_a_do_not_record_number_and_of_what_no_purpose_fits_only_the_fact_is_kept(recorder: Record):
    running = recorder('[privacy]\ndo_not_record = ["112", "0800*"]\nunassigned = "drop"\n')
    talk(running, AGENT, "sip:112@example.com", noise(1, 0.4), noise(2, 0.4))
    talk(running, CALLER, AGENT, noise(1, 0.4), noise(2, 0.4))
    unassigned, not_recorded = recordings(running, 2, "deleted")
    assert "do-not-record" in not_recorded["reason"]
    assert (not_recorded["callee"], not_recorded["file"]) == ("sip:112@example.com", None)
    assert "no purpose fits" in unassigned["reason"]
    assert [path for path in running.data.rglob("*") if path.suffix in (".pcap", ".wav", ".age", ".peaks")] == []


def test_sound_is_sealed_opens_with_its_key_and_with_age_and_never_again_without(recorder: Record, tmp_path: Path):
    settings = (
        '[privacy]\nkey = "one"\n[[purpose]]\nname = "own"\nkey = "two"\n'
        '[[purpose_rule]]\npurpose = "own"\nmatch = { number = ["201"] }\n'
    )
    keys = tmp_path / "data" / "keys"
    for name in ("one", "two"):
        made = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True).stdout
        keys.mkdir(parents=True, exist_ok=True)
        (keys / f"{name}.key").write_text(made)
        public = subprocess.run(["age-keygen", "-y", keys / f"{name}.key"], capture_output=True, text=True, check=True)
        (keys / f"{name}.pub").write_text(public.stdout)
    running = recorder(settings)
    talk(running, CALLER, AGENT, noise(1, 0.4), noise(2, 0.4))
    row = recordings(running, 1)[0]
    stored = Path(row["file"])
    assert row["key"] == "two"
    assert stored.name.endswith(".wav.age")
    assert stored.read_bytes().startswith(b"age-encryption.org/v1\n")
    exported, opened = tmp_path / "exported.wav", tmp_path / "opened.wav"
    done(running, "export", row["id"], "-o", str(exported), "--purpose", "own")
    subprocess.run(["age", "-d", "-i", keys / "two.key", "-o", opened, stored], check=True)
    assert exported.read_bytes() == opened.read_bytes()
    with wave.open(str(opened)) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, 8000)
    other = subprocess.run(["age", "-d", "-i", keys / "one.key", stored], capture_output=True, check=False)
    assert other.returncode != 0

    (keys / "two.key").rename(tmp_path / "elsewhere.key")
    status, said = srs(running, "export", row["id"], "-o", tmp_path / "no.wav", "--purpose", "own")
    assert (status, "sealed for key two, and that is not here" in said) == (1, True)
    (tmp_path / "elsewhere.key").rename(keys / "two.key")
    assert "two                  opens here, 1 recordings" in done(running, "keys", "list")
    status, said = srs(running, "keys", "destroy", "two", "--yes")
    assert (status, '[[purpose]] "own" seals for' in said) == (1, True)
    (tmp_path / "srs.toml").write_text(settings.replace('key = "two"', 'key = "three"'))
    assert "destroyed two: 1 recordings" in done(running, "keys", "destroy", "two", "--yes")
    assert srs(running, "export", row["id"], "-o", tmp_path / "no.wav", "--purpose", "own")[0] == 1
    assert not (keys / "two.key").exists()
