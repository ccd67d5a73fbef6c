import os
import socket

import pytest

from srs.capture.channel import Channel, ChannelClosed


@pytest.fixture
def ends():
    ours, theirs = Channel.pair()
    other = Channel(theirs)
    yield ours, other
    ours.close()
    other.close()


def test_messages_arrive_in_order(ends) -> None:
    ours, other = ends
    ours.send({"do": "one"})
    ours.send({"do": "two"})
    assert [other.receive(), other.receive(), other.receive()] == [({"do": "one"}, []), ({"do": "two"}, []), None]


def test_descriptors_go_along(ends) -> None:
    ours, other = ends
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sent:
        sent.bind(("127.0.0.1", 0))
        ours.send({"do": "open"}, [sent.fileno()])
        message, (descriptor,) = other.receive()
        with socket.socket(fileno=descriptor) as received:
            assert received.getsockname() == sent.getsockname()
            assert received.fileno() != sent.fileno()
    assert message == {"do": "open"}


def test_what_the_other_end_does_not_take_waits(ends) -> None:
    ours, other = ends
    payload = "x" * 100_000
    count = 0
    while not ours.backlog:
        ours.send({"number": count, "payload": payload})
        count += 1
        assert count < 1000
    ours.send({"number": count, "payload": ""})
    numbers = []
    while ours.backlog or len(numbers) <= count:
        received = other.receive()
        if received:
            numbers.append(received[0]["number"])
        ours.flush()
    assert numbers == list(range(count + 1))


def test_a_dead_end_is_told(ends) -> None:
    ours, other = ends
    other.close()
    with pytest.raises(ChannelClosed):
        ours.receive()
    with pytest.raises(ChannelClosed):
        ours.send({"do": "nothing"})


def test_no_descriptor_leaks_into_children(ends) -> None:
    ours, _ = ends
    assert not os.get_inheritable(ours.fileno())
