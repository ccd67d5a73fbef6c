"""Sockets as the kernel gives them."""

import errno
import socket
import struct
import time

import pytest

from rtp.port import SO_TIMESTAMPNS, Port, open_port

PACKET = bytes(172)


@pytest.fixture(params=["127.0.0.1", "::1"])
def opened(request):
    with open_port(request.param, 0) as opened:
        yield opened


def send(opened, count, payload=PACKET):
    with socket.socket(opened.family, socket.SOCK_DGRAM) as out:
        for _ in range(count):
            out.sendto(payload, opened.getsockname())


def taken(opened):
    count = 0
    try:
        while True:
            opened.recv(65_536, socket.MSG_DONTWAIT)
            count += 1
    except BlockingIOError:
        return count


@pytest.mark.usefixtures("stamping")
def test_datagrams_have_time_stamps_of_the_kernel(opened):
    before = time.time_ns()
    send(opened, 1)
    after = time.time_ns()
    time.sleep(0.02)
    _, [(level, kind, data)], _, _ = opened.recvmsg(256, 64)
    assert (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS)
    seconds, nanoseconds = struct.unpack("qq", data)
    assert before <= seconds * 1_000_000_000 + nanoseconds <= after


def test_the_socket_holds_ten_seconds_over_loopback(opened):
    send(opened, 500)  # a network card's datagrams take up twice as much
    assert taken(opened) == 500
    assert Port(opened).dropped == 0


def test_what_the_kernel_drops_is_counted(opened):
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    port = Port(opened)
    send(opened, 300)
    received = taken(opened)
    assert received < 300
    assert port.dropped == 300 - received
    send(opened, 1)
    assert (taken(opened), port.dropped) == (1, 300 - received)


def test_a_port_in_use_is_refused(opened):
    with pytest.raises(OSError, match="in use") as failure:
        open_port(*opened.getsockname()[:2])
    assert failure.value.errno == errno.EADDRINUSE


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_an_address_of_another_host_is_refused(address):
    with pytest.raises(OSError, match="assign"):
        open_port(address, 0)


def test_a_name_is_no_address():
    with pytest.raises(OSError, match=r"not known|not supported"):
        open_port("localhost", 0)


def test_a_port_knows_its_address(opened):
    port = Port(opened)
    assert (port.address, port.port) == opened.getsockname()[:2]
    assert port.version == (6 if ":" in port.address else 4)
    assert port.packed == socket.inet_pton(opened.family, port.address)


def test_a_wildcard_port_has_the_address_it_is_told():
    with open_port("0.0.0.0", 0) as opened:
        assert Port(opened, "192.0.2.1").address == "192.0.2.1"


def test_an_ipv6_port_leaves_ipv4_to_others():
    with open_port("::", 0) as six, open_port("0.0.0.0", six.getsockname()[1]) as four:
        assert six.getsockname()[1] == four.getsockname()[1]
