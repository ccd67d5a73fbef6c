"""Backup and restore as docs/operations.md has them."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.calls import call, make_plan
from support.recorder import Recorder, until

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3 is missing: apt-get install sqlite3")


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str], None]:
    """Runs one of the two scripts, on folders of the test."""
    section = (ROOT / "docs/operations.md").read_text().partition("## Backup and restore")[2]
    backup, restore = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[:2]
    (tmp_path / "backup").mkdir()

    def run(what: str) -> None:
        script = {"backup": backup, "restore": restore}[what].replace("/var/lib/siprec-srs", str(tmp_path / "data"))
        subprocess.run(["bash", "-e"], input=script.replace("/backup", str(tmp_path / "backup")), text=True, check=True)

    return run


def test_what_was_saved_is_there_again_and_what_was_deleted_since_is_not(
    start_recorder: Callable[..., Recorder], run: Callable[[str], None]
) -> None:
    recorder = start_recorder()
    call(make_plan(recorder, 0.5), make_plan(recorder, 0.5))
    kept, deleted = recorder.recordings(2)
    (recorder.data / "pages.toml").write_text("")
    recorder.run("audit", "checkpoint")
    run("backup")
    recorder.run("delete", "--yes", deleted["id"])
    recorder.stop()
    token = (recorder.data / "node").read_text()
    for path in recorder.data.iterdir():
        if path.name != "erased.jsonl":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    run("restore")
    assert {path.name for path in recorder.data.iterdir()} >= {"audio", "audit", "captures", "pages.toml", "node"}
    assert (recorder.data / "node").read_text() == token
    recorder.start()

    def states() -> dict[str, str]:
        return {row["id"]: row["state"] for row in recorder.listed()}

    until(lambda: states() == {kept["id"]: "ready", deleted["id"]: "deleted"}, lambda: str(states()))
    (row,) = [row for row in recorder.listed() if row["id"] == kept["id"]]
    assert hashlib.sha256(Path(row["file"]).read_bytes()).hexdigest() == kept["sha256"]
    assert not Path(deleted["file"]).exists()
    recorder.run("audit", "verify")
