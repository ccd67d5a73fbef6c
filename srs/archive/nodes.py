"""Recorders that share one archive: each tells there that it lives, and is told there to drain.

A node is known by the id of its settings; a token in its data folder tells it from another one with the same id.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import col, select

from srs.archive import captures
from srs.archive.database import reading, writing
from srs.archive.errors import NodeTaken, NoNode
from srs.archive.tables import Node, Recording, State

DEAD_AFTER = timedelta(seconds=60)
"""A node that has told nothing for so long is not there any more."""
MOST_CALLS = 16
"""Of one capture that are looked for when another node has deleted them."""


class NodeState(StrEnum):
    """Of a node, as it or somebody else says."""

    ACTIVE = "active"
    DRAINING = "draining"
    """It is to take no more calls and stop when those under way are over."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a node is."""

    id: str
    token: str
    host: str
    version: str


def token(data_dir: Path) -> str:
    """The token of a data folder, made when it is first asked for."""
    path = data_dir / "node"
    if not path.exists():
        path.write_text(secrets.token_hex(16))
    return path.read_text()


def join(engine: Engine, who: Identity, now: datetime) -> None:
    """Take one's place among the nodes.

    Raises:
        NodeTaken: another recorder that lives has the same id.
    """
    with writing(engine) as session:
        node = session.get(Node, who.id, with_for_update=True)
        if node is not None and node.token != who.token and is_living(node, now):
            raise NodeTaken(
                f"another recorder has the id {who.id}: host {node.host}, seen {node.seen_at:%Y-%m-%d %H:%M:%S} UTC; "
                "give this one its own [node] id"
            )
        changed = {"token": who.token, "host": who.host, "version": who.version, "state": NodeState.ACTIVE}
        session.merge(Node(id=who.id, started_at=now, seen_at=now, **changed))


def beat(engine: Engine, who: Identity, now: datetime) -> NodeState:
    """Tell that the node lives; hear what is wanted of it.

    Raises:
        NodeTaken: its place was taken.
    """
    with writing(engine) as session:
        node = session.get(Node, who.id, with_for_update=True)
        if node is None or node.token != who.token:
            raise NodeTaken(f"the id {who.id} was taken by another recorder while this one was away")
        node.seen_at = max(node.seen_at, now)  # a clock that was set back makes no node look dead
        return NodeState(node.state)


def leave(engine: Engine, who: Identity) -> None:
    """Tell that the node has stopped."""
    with writing(engine) as session:
        node = session.get(Node, who.id, with_for_update=True)
        if node is not None and node.token == who.token:
            node.state = NodeState.STOPPED


def drain(engine: Engine, node_id: str) -> None:
    """Have a node take no more calls and stop when those under way are over.

    Raises:
        NoNode: there is none with this id.
    """
    with writing(engine) as session:
        node = session.get(Node, node_id, with_for_update=True)
        if node is None:
            raise NoNode(f"there is no node {node_id!r}; `srs nodes list` shows them")
        if node.state == NodeState.ACTIVE:
            node.state = NodeState.DRAINING


def nodes(engine: Engine) -> Sequence[Node]:
    """All nodes there ever were, by id."""
    with reading(engine) as session:
        return session.exec(select(Node).order_by(Node.id)).all()


def living(engine: Engine, now: datetime) -> int:
    """How many there are that live."""
    return sum(is_living(node, now) for node in nodes(engine))


def is_living(node: Node, now: datetime) -> bool:
    """Whether it works, or will again in a moment."""
    return status(node, now) not in ("dead", NodeState.STOPPED)


def status(node: Node, now: datetime) -> str:
    """Its state, or `dead` when it should live and tells nothing."""
    silent = now - node.seen_at > DEAD_AFTER
    return "dead" if silent and node.state != NodeState.STOPPED else node.state


def sweep(engine: Engine, data_dir: Path) -> list[str]:
    """Remove captures put aside here of recordings that another node has deleted; the ids of these."""
    aside = captures.all_put_aside(data_dir)
    names = [name for stem in aside for name in islice(captures.recordings(stem), MOST_CALLS)]
    if not names:
        return []
    with reading(engine) as session:
        query = select(Recording).where(col(Recording.id).in_(names), Recording.state == State.DELETED)
        deleted = session.exec(query).all()
    for row in deleted:
        captures.remove(data_dir, row)
    return [row.id for row in deleted]
