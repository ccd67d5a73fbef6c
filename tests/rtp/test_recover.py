"""A receiver that is killed anywhere between `recvmmsg` and the end of the write, and its successor."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rtp import receive
from rtp.batch import octets
from rtp.pcap import HEADER, read, record
from rtp.port import Port, open_port
from rtp.receive import Receiver, Tap

SLOTS = 64
HOSTS = {4: "127.0.0.1", 6: "::1"}


class Killed(BaseException):
    """In place of SIGKILL: nothing of the product catches it."""


class Scene:
    """Two captures with two ports each, and the memory that outlives the receivers."""

    def __init__(self, stack: ExitStack, directory: Path, version: int) -> None:
        self.version = version
        self.memory = {version: memoryview(bytearray(octets(version, SLOTS)))}
        self.paths = [directory / "0.pcap", directory / "1.pcap"]
        self.sockets = [stack.enter_context(open_port(HOSTS[version], 0)) for _ in range(4)]
        self.sender = stack.enter_context(socket.socket(self.sockets[0].family, socket.SOCK_DGRAM))
        self._stack = stack
        for path in self.paths:
            path.write_bytes(HEADER)

    def taps(self) -> list[Tap]:
        """As a new process opens them."""
        taps = []
        for number, path in enumerate(self.paths):
            capture = os.open(path, os.O_RDWR | os.O_APPEND)
            self._stack.callback(os.close, capture)
            pair = self.sockets[2 * number : 2 * number + 2]
            taps.append(Tap(capture, [Port(sock, None, 2 * number + i) for i, sock in enumerate(pair, start=1)]))
        return taps

    def receiver(self) -> Receiver:
        return Receiver(SLOTS, self.memory)

    def send(self, first: int, count: int) -> None:
        for number in range(first, first + count):
            for index, sock in enumerate(self.sockets):
                self.sender.sendto(payload(index, number), sock.getsockname())

    def payloads(self, path: Path) -> list[bytes]:
        found = read(path)
        return [found.payload(i) for i in range(len(found))]

    def check(self, count: int) -> None:
        for number, path in enumerate(self.paths):
            wanted = [payload(2 * number + i, k) for i in (0, 1) for k in range(count)]
            assert sorted(self.payloads(path)) == sorted(wanted)


def payload(index: int, number: int) -> bytes:
    return b"" if number == 2 else bytes([0x80, index, number]) * (40 + number)


@pytest.fixture(params=[4, 6])
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(stack, tmp_path, request.param)


def kill_in(monkeypatch: pytest.MonkeyPatch, name: str, call: int, *, after: bool, octets_written: int = 0) -> None:
    """Have the process die at the `call`-th use of a system call, before or after it is done."""
    real, calls = getattr(receive, name), []

    def dying(*arguments: int) -> int:
        calls.append(name)
        if len(calls) < call:
            return int(real(*arguments))
        monkeypatch.setattr(receive, name, real)
        if after:
            real(*arguments)
        raise Killed

    monkeypatch.setattr(receive, name, dying)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_what_was_received_is_written_by_the_successor(scene, monkeypatch, call, after) -> None:
    first, taps = scene.receiver(), scene.taps()
    first.recover(taps)
    scene.send(0, 3)
    first.drain(taps)
    scene.send(3, 6)
    kill_in(monkeypatch, "_recvmmsg", call, after=after)
    with pytest.raises(Killed):
        first.drain(taps)
    successor, taps = scene.receiver(), scene.taps()
    successor.recover(taps)
    successor.drain(taps)
    scene.check(9)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", [1, 2])
def test_what_was_written_is_not_written_again(scene, monkeypatch, call, after) -> None:
    first, taps = scene.receiver(), scene.taps()
    first.recover(taps)
    scene.send(0, 9)
    kill_in(monkeypatch, "_writev", call, after=after)
    with pytest.raises(Killed):
        first.drain(taps)
    successor, taps = scene.receiver(), scene.taps()
    successor.recover(taps)
    scene.check(9)
    scene.send(9, 2)
    successor.drain(taps)
    scene.check(11)


@pytest.mark.parametrize("missing", [1, 20, 150, 500])
@pytest.mark.parametrize("another_wrote", [False, True])
def test_a_torn_record_is_written_again(scene, monkeypatch, missing, another_wrote) -> None:
    first, taps = scene.receiver(), scene.taps()
    first.recover(taps)
    scene.send(0, 9)
    kill_in(monkeypatch, "_writev", 2, after=True)
    with pytest.raises(Killed):
        first.drain(taps)
    os.truncate(scene.paths[1], scene.paths[1].stat().st_size - missing)
    sip = b"OPTIONS sip:a SIP/2.0\r\n\r\n"
    if another_wrote:
        with scene.paths[1].open("ab") as capture:
            capture.write(record(sip, ("192.0.2.1", 5060), ("192.0.2.2", 5060), 1_700_000_000_000_000_000))
    successor, taps = scene.receiver(), scene.taps()
    successor.recover(taps)
    found = scene.payloads(scene.paths[1])
    if another_wrote:
        found.remove(sip)
    assert sorted(found) == sorted(payload(2 + i, k) for i in (0, 1) for k in range(9))


def test_nothing_comes_back_after_a_clean_drain(scene) -> None:
    first, taps = scene.receiver(), scene.taps()
    first.recover(taps)
    scene.send(0, 40)  # more than a batch
    first.drain(taps)
    scene.check(40)
    assert scene.receiver().recover(scene.taps()).packets == 0
    scene.check(40)


def test_what_belongs_to_a_port_that_is_gone_is_left_out(scene, monkeypatch) -> None:
    first, taps = scene.receiver(), scene.taps()
    first.recover(taps)
    scene.send(0, 4)
    kill_in(monkeypatch, "_writev", 1, after=False)
    with pytest.raises(Killed):
        first.drain(taps)
    _, kept = scene.taps()
    scene.receiver().recover([kept])
    assert scene.payloads(scene.paths[0]) == []
    assert sorted(scene.payloads(scene.paths[1])) == sorted(payload(2 + i, k) for i in (0, 1) for k in range(4))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ["_recvmmsg", "_writev", None])
def test_of_a_pause_nothing_is_written_not_by_the_successor_either(scene, monkeypatch, name, after) -> None:
    first, taps = scene.receiver(), scene.taps()
    first.recover(taps)
    scene.send(0, 3)
    pause = [(time.time_ns(), 1 << 62)]
    taps[0].pauses = pause
    scene.send(3, 6)
    if name:
        kill_in(monkeypatch, name, 1 if name == "_writev" else 2, after=after)
        with pytest.raises(Killed):
            first.drain(taps)
        first, taps = scene.receiver(), scene.taps()
        taps[0].pauses = pause
        first.recover(taps)
    first.drain(taps)
    assert sorted(scene.payloads(scene.paths[0])) == sorted(payload(i, k) for i in (0, 1) for k in range(3))
    assert sorted(scene.payloads(scene.paths[1])) == sorted(payload(2 + i, k) for i in (0, 1) for k in range(9))
