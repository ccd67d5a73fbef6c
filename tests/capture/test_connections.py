"""The keeper's hold on clients' connections, with a channel in place of signalling."""

import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from srs.capture.channel import Channel
from srs.capture.children import Child
from srs.capture.connections import Connections


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        yield made


@pytest.fixture
def signalling() -> Iterator[Child]:
    child = Child("signalling", "", [])
    yield child
    end(child)


def start(child: Child) -> Channel:
    """A new process; its end of the channel."""
    child.channel, theirs = Channel.pair()
    return Channel(theirs)


def end(child: Child) -> None:
    if child.channel is not None:
        child.channel.close()
        child.channel = None


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def handed_over(channel: Channel) -> tuple[int, socket.socket]:
    received = channel.receive()
    assert received is not None
    message, (descriptor,) = received
    assert message["do"] == "connection"
    return message["connection"], socket.socket(fileno=descriptor)


def test_a_connection_goes_from_process_to_process_until_it_is_dropped(listener, signalling) -> None:
    connections = Connections([listener])
    before = open_descriptors()
    with socket.create_connection(listener.getsockname()) as client:
        first = start(signalling)
        assert connections.accept(listener, signalling)
        number, sock = handed_over(first)
        sock.sendall(b"from the first")
        sock.close()
        first.close()
        end(signalling)
        client.sendall(b"while none was there")
        second = start(signalling)
        connections.hand_over(signalling)
        again, sock = handed_over(second)
        assert again == number
        assert client.recv(100) == b"from the first"
        assert sock.recv(100) == b"while none was there"
        sock.close()
        connections.drop(number)
        connections.drop(number)  # as a successor does that found it broken
        assert client.recv(100) == b""
        connections.hand_over(signalling)
        assert second.receive() is None
        second.close()
        end(signalling)
    assert open_descriptors() == before


def test_who_connects_while_signalling_is_away_is_handed_over_later(listener, signalling) -> None:
    connections = Connections([listener])
    clients = [socket.create_connection(listener.getsockname()) for _ in range(3)]
    assert all(connections.accept(listener, signalling) for _ in clients)
    channel = start(signalling)
    connections.hand_over(signalling)
    for client in clients:
        number, sock = handed_over(channel)
        assert sock.getpeername() == client.getsockname()
        for each in (client, sock):
            each.close()
        connections.drop(number)
    channel.close()


def test_nobody_waits(listener, signalling) -> None:
    assert Connections([listener]).accept(listener, signalling)


def test_no_descriptor_is_left(listener, signalling) -> None:
    connections = Connections([listener])
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.create_connection(listener.getsockname()):
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            assert not connections.accept(listener, signalling)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert connections.accept(listener, signalling)
        connections.drop(1)
