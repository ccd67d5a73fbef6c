"""A recorder among others: its place, and what it does when another one has it."""

from datetime import UTC, datetime

from srs.alarms import Alarms
from srs.archive import nodes
from srs.archive.nodes import Identity, NodeState
from srs.handoff.heart import Heart


def test_with_the_id_of_another_it_waits_says_so_and_goes_on_when_that_one_is_gone(shelf):
    other, alarms = Identity("rec1", "another folder", "elsewhere", "1"), Alarms()
    nodes.join(shelf.engine, other, datetime.now(UTC))
    heart = Heart(shelf.engine, shelf.settings(node={"id": "rec1"}), lambda: None, alarms)
    assert heart.join(lambda _: True) is False  # it is told to stop meanwhile
    assert alarms.active()["node"] == 1

    def gone(_: float) -> bool:
        nodes.leave(shelf.engine, other)
        return False

    assert heart.join(gone) is True
    assert alarms.active()["node"] == 0
    nodes.drain(shelf.engine, "rec1")
    drained: list[bool] = []
    with Heart(shelf.engine, shelf.settings(node={"id": "rec1"}), lambda: drained.append(True), alarms) as again:
        again()
    assert drained == [True]
    assert [node.state for node in nodes.nodes(shelf.engine)] == [NodeState.STOPPED]


def test_one_whose_place_was_taken_raises_the_alarm(shelf):
    alarms = Alarms()
    heart = Heart(shelf.engine, shelf.settings(node={"id": "rec1"}), lambda: None, alarms)
    assert heart.join(lambda _: True)
    nodes.leave(shelf.engine, Identity("rec1", nodes.token(shelf.data_dir), "here", "1"))
    nodes.join(shelf.engine, Identity("rec1", "another folder", "elsewhere", "1"), datetime.now(UTC))
    heart()
    assert alarms.active()["node"] == 1
