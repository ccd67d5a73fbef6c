"""Port pairs that wait for a call."""

import socket

import pytest

from srs.capture.ports import NoPorts, PortRange
from srs.capture.spare import MOST, SparePairs


def test_as_many_as_there_shall_be_and_those_that_were_taken_again() -> None:
    spare = SparePairs(PortRange(61200, 61399))
    ports = spare.fill("127.0.0.1")
    assert len(set(ports)) == MOST
    assert spare.fill("127.0.0.1") == []
    taken = spare.take("127.0.0.1", ports[:2])
    assert [pair.port for pair in taken] == ports[:2]
    new = spare.fill("127.0.0.1")
    assert len(new) == 2
    assert not set(new) & set(ports)
    assert spare.ports() == {"127.0.0.1": [*ports[2:], *new]}
    spare.close()
    for pair in taken:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
            late.sendto(b"x", ("127.0.0.1", pair.port))
        assert pair.rtp.recv(9) == b"x"
        pair.close()


def test_each_pair_has_a_number_of_its_own() -> None:
    spare = SparePairs(PortRange(61400, 61499))
    pairs = [
        *spare.bind("127.0.0.1", 2),
        *spare.take("127.0.0.1", spare.fill("127.0.0.1")[:3]),
        *spare.bind("127.0.0.1", 1),
    ]
    assert len({pair.number for pair in pairs}) == 6
    spare.close()
    for pair in pairs:
        pair.close()


def test_a_range_that_is_used_up_leaves_none_and_says_so_only_to_who_asks() -> None:
    spare = SparePairs(PortRange(61500, 61505))
    assert len(spare.fill("127.0.0.1")) == 3
    with pytest.raises(NoPorts):
        spare.bind("127.0.0.1", 1)
    spare.close()
    (first, *others) = spare.bind("127.0.0.1", 3)
    assert spare.fill("127.0.0.1") == []
    first.close()
    assert spare.fill("127.0.0.1") == [first.port]
    spare.close()
    for pair in others:
        pair.close()


def test_an_address_that_is_not_ours_any_more() -> None:
    assert SparePairs(PortRange(61600, 61699)).fill("192.0.2.1") == []


def test_a_failure_gives_back_what_was_bound_for_the_call() -> None:
    spare = SparePairs(PortRange(61700, 61703))
    with pytest.raises(NoPorts):
        spare.bind("127.0.0.1", 3)
    pairs = spare.bind("127.0.0.1", 2)
    assert [pair.port for pair in pairs] == [61700, 61702]
    for pair in pairs:
        pair.close()
