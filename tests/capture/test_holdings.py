"""What the keeper tells a worker of a session, and in which order."""

from pathlib import Path
from typing import Any, cast

from srs.capture import folder
from srs.capture.children import Child
from srs.capture.holdings import Holdings
from srs.capture.ports import PortRange


class Told:
    """In place of a process: what it is told."""

    name = "told"

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any], descriptors: object = ()) -> None:
        self.messages.append(message)


def test_keys_that_were_agreed_before_the_capture_was_made_follow_the_sockets(tmp_path: Path) -> None:
    """A worker that hears of keys before it has the session would forget them."""
    folder.prepare(tmp_path)
    signalling, worker = Told(), Told()
    holdings = Holdings(tmp_path, PortRange(61800, 61999), cast("Child", signalling), [cast("Child", worker)])
    session = {"id": "r", "call_id": "c", "address": "127.0.0.1", "since": 1, "invite": None}
    holdings.open({**session, "re": 0, "pairs": 1})
    holdings.replenish()
    (spare,) = [message["ports"] for message in signalling.messages if message.get("do") == "spare"]
    holdings.open({**session, "ports": spare[:1]})
    holdings.protect({"do": "keys", "id": "r", "ports": {"1": []}})
    assert worker.messages == []
    holdings.capture("r")
    assert [message["do"] for message in worker.messages] == ["open", "keys"]
    assert len(worker.messages[0]["numbers"]) == 4
    holdings.capture("r")
    assert len(worker.messages) == 2
    holdings.release_all()
