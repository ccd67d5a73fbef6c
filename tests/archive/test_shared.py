"""Several recorders that share one archive: PostgreSQL and S3."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support import databases, postgres
from support.calls import call, make_plan
from support.heard import samples
from support.recorder import PATIENCE_S, Recorder, Recorders, until


def one_archive(server: postgres.Server, s3_server: dict[str, str], name: str) -> dict[str, str]:
    """The settings of recorders that share one."""
    database = databases.postgresql(server)
    return {"SRS_DATABASE__URL": database, "SRS_STORE__URL": f"s3://recordings/{name}", **s3_server}


@pytest.fixture(scope="module")
def shared(postgres_server: postgres.Server, s3_server: dict[str, str]) -> dict[str, str]:
    return one_archive(postgres_server, s3_server, "shared")


@pytest.fixture
def nodes(recorders: Recorders, shared: dict[str, str]) -> list[Recorder]:
    """Two recorders with data folders of their own."""
    return [recorders.lend(SRS_NODE__ID=name, **shared) for name in ("one", "two")]


def test_any_node_lists_exports_and_deletes_what_any_recorded(nodes: list[Recorder], tmp_path: Path) -> None:
    for node in nodes:
        call(make_plan(node, 1.0))
    found = nodes[0].recordings(2)
    assert [row["id"] for row in nodes[1].listed()] == [row["id"] for row in found]
    for row in found:
        assert row["file"].startswith("s3://recordings/")
        sounds = [tmp_path / f"{number}.wav" for number in range(2)]
        for node, sound in zip(nodes, sounds, strict=True):
            node.run("export", row["id"], "-o", str(sound))
        assert sounds[0].read_bytes() == sounds[1].read_bytes()
        assert np.abs(samples(sounds[0])).max(axis=0).min() > 1000
        nodes[1].run("delete", "--yes", row["id"])
    assert [row["state"] for row in nodes[0].listed()] == ["deleted", "deleted"]


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is missing: apt-get install ffmpeg")
def test_a_sound_in_s3_is_exported_in_other_formats(nodes: list[Recorder], tmp_path: Path) -> None:
    call(make_plan(nodes[0], 1.0))
    (row,) = nodes[0].recordings(1)
    nodes[1].run("export", row["id"], "--format", "mp3", "-o", str(tmp_path / "x.mp3"))
    assert (tmp_path / "x.mp3").stat().st_size > 4000


def test_nodes_are_known_and_one_is_drained(nodes: list[Recorder]) -> None:
    def states() -> list[str]:
        return [json.loads(line)["state"] for line in nodes[0].run("nodes", "list", "--json").splitlines()]

    until(lambda: states() == ["active", "active"], lambda: f"{states()}")
    nodes[0].run("nodes", "drain", "two")
    assert nodes[1].process.wait(PATIENCE_S) == 0
    assert states() == ["active", "stopped"]


def test_one_with_the_id_of_another_records_says_so_and_keeps_when_that_one_is_gone(
    start_recorder: Callable[..., Recorder], postgres_server: postgres.Server, s3_server: dict[str, str], tmp_path: Path
) -> None:
    same = {"SRS_NODE__ID": "same", **one_archive(postgres_server, s3_server, "same")}
    first = start_recorder(data=tmp_path / "first", **same)
    until(lambda: "same" in first.run("nodes", "list"), first.log.read_text)
    second = start_recorder(data=tmp_path / "second", **same)
    call(make_plan(second, 1.0))
    said = "another recorder has the id same: host"
    until(lambda: said in second.log.read_text(), second.log.read_text)
    assert "give this one its own [node] id" in second.log.read_text()
    until(lambda: [path.parent.name for path in second.captures()] == ["ended"], second.log.read_text)
    assert [row["state"] for row in second.listed()] == ["captured"]
    assert first.listed() == []
    first.stop()
    assert [row["state"] for row in second.recordings(1)] == ["ready"]
    assert second.captures() == []
