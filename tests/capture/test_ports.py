import socket

import pytest

from srs.capture.ports import NoPorts, PortRange


def test_rtp_is_even_and_rtcp_the_next() -> None:
    ports = PortRange(61100, 61109)
    pairs = [ports.bind("127.0.0.1") for _ in range(5)]
    for pair in pairs:
        assert pair.port % 2 == 0
        assert pair.rtp.getsockname()[1] == pair.port
        assert pair.rtcp.getsockname()[1] == pair.port + 1
        pair.close()
    assert [pair.port for pair in pairs] == [61100, 61102, 61104, 61106, 61108]


def test_a_port_in_use_is_passed_over_and_the_range_ends() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 61121))
        ports = PortRange(61120, 61123)
        pair = ports.bind("127.0.0.1")
        assert pair.port == 61122
        with pytest.raises(NoPorts, match=r"\[media\] ports"):
            ports.bind("127.0.0.1")
        pair.close()
        again = ports.bind("127.0.0.1")
        assert again.port == 61122
        again.close()


def test_the_half_of_a_pair_is_given_back() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 61131))
        with pytest.raises(NoPorts):
            PortRange(61130, 61131).bind("127.0.0.1")
    pair = PortRange(61130, 61131).bind("127.0.0.1")
    assert pair.port == 61130
    pair.close()


def test_ports_rest_before_they_serve_again() -> None:
    ports = PortRange(61140, 61143)
    first = ports.bind("127.0.0.1")
    first.close()
    second = ports.bind("127.0.0.1")
    assert second.port == first.port + 2
    second.close()


def test_an_address_of_another_host() -> None:
    with pytest.raises(OSError, match="assign requested address"):
        PortRange(61150, 61159).bind("192.0.2.1")
