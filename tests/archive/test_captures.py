"""What waits in the folder of captures."""

import os
from pathlib import Path

from srs.archive import captures


def test_the_oldest_comes_first(tmp_path: Path):
    folder = tmp_path / "captures" / "ended"
    folder.mkdir(parents=True)
    for age, name in enumerate("bca"):
        (folder / f"{name}.pcap").touch()
        os.utime(folder / f"{name}.pcap", (age, age))
    (folder / "unfinished.part").touch()
    assert [path.stem for path in captures.waiting(tmp_path, "ended")] == ["b", "c", "a"]
    assert captures.waiting(tmp_path, "open") == []
