"""Recordings as files for people."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.archive import keep

from srs.archive import audio
from srs.archive.errors import NotReady
from srs.archive.export import export, export_capture
from srs.archive.keep import Archive
from srs.archive.store import open_store
from srs.config import AudioSettings


@pytest.fixture(params=["folder", "memory"])
def anywhere(request: pytest.FixtureRequest, archive: Archive) -> Archive:
    return archive if request.param == "folder" else replace(archive, store=open_store("memory:///"))


def test_the_archived_format_is_copied_octet_by_octet(anywhere: Archive, ended, tmp_path: Path):
    row = keep(anywhere, ended())
    export(row, anywhere.store, "wav", tmp_path / "x.wav")
    with anywhere.store.open(row.file) as file:
        assert (tmp_path / "x.wav").read_bytes() == file.read()


@pytest.mark.parametrize("kind", ["flac", "mp3", "opus"])
def test_other_formats_hold_the_same_sound(anywhere: Archive, ended, tmp_path: Path, kind: str):
    row = keep(anywhere, ended())
    export(row, anywhere.store, kind, tmp_path / f"x.{kind}")
    with (tmp_path / f"x.{kind}").open("rb") as file:
        sound = audio.read(file)
        samples = np.concatenate(list(sound.pieces))
    assert sound.channels == 2
    assert len(samples) / sound.rate == pytest.approx(2.0, abs=0.05)
    for channel, frequency in enumerate((440, 1000)):
        middle = samples[sound.rate // 2 :, channel][: sound.rate]  # one second: 1 Hz a bin
        assert np.abs(np.fft.rfft(middle)).argmax() == frequency


def test_wav_from_a_lossless_archive_is_every_sample(archive: Archive, ended, tmp_path: Path):
    exported = []
    for kind in ("wav", "flac"):
        row = keep(replace(archive, audio=AudioSettings(format=kind)), ended(kind * 2))
        export(row, archive.store, "wav", tmp_path / f"{kind}.wav")
        exported.append((tmp_path / f"{kind}.wav").read_bytes())
    assert exported[0] == exported[1]


def test_what_fails_leaves_the_target_and_no_rests(archive: Archive, ended, tmp_path: Path):
    row = keep(archive, ended())
    target = tmp_path / "out" / "x.mp3"
    target.parent.mkdir()
    target.write_text("what was there")
    Path(archive.store.location(row.file)).write_bytes(b"no sound")
    with pytest.raises(NotReady, match="cannot be decoded"):
        export(row, archive.store, "mp3", target)
    archive.store.delete(row.file)
    with pytest.raises(NotReady, match="is not at"):
        export(row, archive.store, "mp3", target)
    assert [path.name for path in target.parent.iterdir()] == ["x.mp3"]
    assert target.read_text() == "what was there"


def test_no_sound_no_export(archive: Archive, ended, tmp_path: Path):
    row = keep(archive, ended(words="broken"))
    with pytest.raises(NotReady, match="failed"):
        export(row, archive.store, "wav", tmp_path / "x.wav")


LONG = """
import resource, sys
from pathlib import Path
import srs.archive.coding  # what PyAV itself takes does not grow
from srs.archive import audio

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with Path(sys.argv[1]).open("rb") as source, Path(sys.argv[2]).open("w+b") as target:
    sound = audio.read(source)
    audio.write(target, "flac", sound.pieces, sound.channels, sound.rate, {})
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_an_hour_needs_little_memory(tmp_path: Path):
    """Of 110 MiB of samples."""
    octets = 3600 * 8000 * 4
    with (tmp_path / "x.wav").open("wb") as file:
        file.write(audio.wav_header(2, 8000, octets))
        file.truncate(44 + octets)
    command = [sys.executable, "-c", LONG, tmp_path / "x.wav", tmp_path / "x.flac"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(done.stdout) < 32, "MiB"


@pytest.mark.parametrize("words", ["undecoded", "broken"])
def test_what_could_not_be_decoded_is_exported_as_it_came(archive: Archive, ended, tmp_path: Path, words: str):
    row = keep(archive, ended(words=words))
    export_capture(row, archive.data_dir, tmp_path / "x.pcap")
    assert (tmp_path / "x.pcap").read_text() == words


def test_a_capture_that_was_decoded_is_no_more(archive: Archive, ended, tmp_path: Path):
    row = keep(archive, ended())
    with pytest.raises(NotReady, match="is not kept"):
        export_capture(row, archive.data_dir, tmp_path / "x.pcap")
    assert not (tmp_path / "x.pcap").exists()
