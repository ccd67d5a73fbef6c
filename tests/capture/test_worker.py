"""What a capture worker does with what its predecessor had read when it died."""

import os
import socket
import time
from contextlib import ExitStack

import pytest

from rtp import receive
from rtp.batch import octets
from rtp.pcap import HEADER, read
from rtp.port import Port, open_port
from rtp.receive import MOST_SLOTS, Receiver, Tap
from srs.capture.channel import Channel
from srs.capture.memory import VERSIONS, attach, reserve
from srs.capture.worker import Worker

NUMBERS = (2, 3)

SESSION = {"do": "open", "id": "r", "call_id": "c", "address": "127.0.0.1", "numbers": NUMBERS}


def work(memory: list[int], pairs: list[list[socket.socket]], *orders: dict[str, object]) -> None:
    """Have a worker take over the memory, which is closed then, and do what it is told until it stops: with each "open"
    it gets the next pair."""
    keeper, end = Channel.pair()
    keeper.send({"do": "memory"}, memory)
    given = iter(pairs)
    for order in orders:
        keeper.send(order, [sock.fileno() for sock in next(given)] if order["do"] == "open" else [])
    Worker(Channel(end)).run()
    keeper.close()
    end.close()
    for descriptor in memory:
        os.close(descriptor)


class Killed(BaseException):
    """In place of SIGKILL."""


@pytest.mark.parametrize(
    ("orders", "kept"),
    [
        ([], 3),
        ([{"do": "pauses", "id": "r", "pauses": [[0, None]]}], 0),
        ([{"do": "pauses", "id": "r", "pauses": [[0, 1]]}], 3),
        ([{"do": "pause", "id": "r", "by": "user:anna", "at": 0}], 0),
    ],
    ids=["no pause", "paused", "a pause long over", "a pause that the predecessor died over"],
)
def test_of_what_was_read_in_a_pause_nothing_is_written(tmp_path, monkeypatch, orders, kept):
    def dying(*_: int) -> int:
        raise Killed

    path, memory = tmp_path / "r.pcap", reserve()
    path.write_bytes(HEADER)
    with ExitStack() as stack:
        pair = [stack.enter_context(open_port("127.0.0.1", 0)) for _ in NUMBERS]
        sender = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        first = Receiver(memory=attach([os.dup(each) for each in memory], [octets(v, MOST_SLOTS) for v in VERSIONS]))
        tap = Tap(
            os.open(path, os.O_RDWR | os.O_APPEND),
            [Port(sock, None, number) for sock, number in zip(pair, NUMBERS, strict=True)],
        )
        stack.callback(os.close, tap.capture)
        first.recover([tap])
        for number in range(3):
            sender.sendto(bytes([0x80, 0, 0, number]) * 4, pair[0].getsockname())
        with monkeypatch.context() as patch:
            patch.setattr(receive, "_writev", dying)
            with pytest.raises(Killed):
                first.drain([tap])
        session = {**SESSION, "path": str(path), "since": 0}
        work(memory, [pair], session, *orders, {"do": "begin"}, {"do": "stop"})
    found = read(path)
    media = [found.payload(row) for row in range(len(found)) if found.payload(row)[0] >> 6 == 2]
    assert media == [bytes([0x80, 0, 0, number]) * 4 for number in range(kept)]


def test_what_came_to_a_port_before_its_session_is_not_kept(tmp_path):
    path = tmp_path / "r.pcap"
    path.write_bytes(HEADER)
    with ExitStack() as stack:
        pair = [stack.enter_context(open_port("127.0.0.1", 0)) for _ in NUMBERS]
        sender = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sender.sendto(b"\x80stray" * 4, pair[0].getsockname())
        time.sleep(0.05)
        since = time.time_ns()
        sender.sendto(b"\x80first" * 4, pair[0].getsockname())
        session = {**SESSION, "path": str(path), "since": since}
        work(reserve(), [pair], {"do": "begin"}, session, {"do": "stop"})
    found = read(path)
    assert [found.payload(row)[:6] for row in range(len(found))] == [b"\x80first"]


def test_what_came_to_a_port_before_a_session_got_it_too_is_not_kept(tmp_path):
    """By a re-INVITE; what waits in the ports that it had is its own."""
    path = tmp_path / "r.pcap"
    path.write_bytes(HEADER)
    with ExitStack() as stack:
        pairs = [[stack.enter_context(open_port("127.0.0.1", 0)) for _ in NUMBERS] for _ in range(2)]
        sender = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        began = time.time_ns()
        sender.sendto(b"\x80own 1" * 4, pairs[0][0].getsockname())
        sender.sendto(b"\x80stray" * 4, pairs[1][0].getsockname())
        time.sleep(0.05)
        session = {**SESSION, "path": str(path)}
        first, second = {**session, "since": began}, {**session, "since": time.time_ns(), "numbers": (4, 5)}
        sender.sendto(b"\x80own 2" * 4, pairs[0][0].getsockname())
        sender.sendto(b"\x80added" * 4, pairs[1][0].getsockname())
        work(reserve(), pairs, {"do": "begin"}, first, second, {"do": "stop"})
    found = read(path)
    assert sorted(found.payload(row)[:6] for row in range(len(found))) == [b"\x80added", b"\x80own 1", b"\x80own 2"]


def test_ports_that_a_paused_session_gets_are_paused_too(tmp_path):
    path = tmp_path / "r.pcap"
    path.write_bytes(HEADER)
    with ExitStack() as stack:
        pairs = [[stack.enter_context(open_port("127.0.0.1", 0)) for _ in NUMBERS] for _ in range(2)]
        sender = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        session, pause = {**SESSION, "path": str(path), "since": 0}, {"do": "pauses", "id": "r", "pauses": [[0, None]]}
        for pair in pairs:
            sender.sendto(b"\x80never" * 4, pair[0].getsockname())
        work(reserve(), pairs, session, pause, {"do": "begin"}, {**session, "numbers": (4, 5)}, {"do": "stop"})
    assert len(read(path)) == 0
