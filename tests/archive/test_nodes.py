"""Recorders that share one archive."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from srs.archive import nodes
from srs.archive.database import connect, writing
from srs.archive.errors import NodeTaken, NoNode
from srs.archive.nodes import Identity, NodeState, beat, drain, join, leave, status, sweep
from srs.archive.tables import Recording

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=61)
ONE, OTHER = Identity("a", "token", "host", "1"), Identity("a", "another", "elsewhere", "1")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


def states(engine: Engine, now: datetime = NOW) -> dict[str, str]:
    return {node.id: status(node, now) for node in nodes.nodes(engine)}


def test_a_life(engine: Engine) -> None:
    join(engine, ONE, NOW)
    assert beat(engine, ONE, NOW) is NodeState.ACTIVE
    assert states(engine) == {"a": "active"}
    drain(engine, "a")
    assert beat(engine, ONE, NOW) is NodeState.DRAINING
    leave(engine, ONE)
    assert states(engine, LATER) == {"a": "stopped"}
    drain(engine, "a")
    assert states(engine, LATER) == {"a": "stopped"}
    join(engine, ONE, LATER)
    assert states(engine, LATER) == {"a": "active"}


def test_who_is_silent_is_dead(engine: Engine) -> None:
    join(engine, ONE, NOW)
    assert states(engine, NOW + timedelta(seconds=60)) == {"a": "active"}
    assert states(engine, LATER) == {"a": "dead"}
    beat(engine, ONE, LATER)
    beat(engine, ONE, NOW)
    assert states(engine, LATER + timedelta(seconds=59)) == {"a": "active"}


def test_two_with_one_id(engine: Engine) -> None:
    join(engine, ONE, NOW)
    with pytest.raises(NodeTaken, match="host host, seen 2026-11-24"):
        join(engine, OTHER, NOW)
    join(engine, ONE, NOW)
    join(engine, OTHER, LATER)
    with pytest.raises(NodeTaken, match="taken"):
        beat(engine, ONE, LATER)
    leave(engine, ONE)
    assert states(engine, LATER) == {"a": "active"}


def test_the_place_of_one_that_stopped_is_free(engine: Engine) -> None:
    join(engine, ONE, NOW)
    leave(engine, ONE)
    join(engine, OTHER, NOW)
    assert beat(engine, OTHER, NOW) is NodeState.ACTIVE


def test_nobody_to_drain(engine: Engine) -> None:
    with pytest.raises(NoNode, match="'x'"):
        drain(engine, "x")


def test_a_data_folder_keeps_its_token(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert nodes.token(tmp_path) == nodes.token(tmp_path) != nodes.token(tmp_path / "other")


def test_captures_of_what_another_node_deleted_go(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "captures" / "kept"
    folder.mkdir(parents=True)
    for name in ("gone", "there", "unknown"):
        (folder / f"{name}.pcap").write_text("packets")
    with writing(engine) as session:
        for name, state in (("gone", "deleted"), ("there", "ready")):
            moments = {"started_at": NOW, "ended_at": NOW, "created_at": NOW}
            session.add(Recording(id=name, state=state, duration_s=0, **moments))
    assert sweep(engine, tmp_path) == ["gone"]
    assert sorted(path.stem for path in folder.iterdir()) == ["there", "unknown"]
    assert sweep(engine, tmp_path) == []
