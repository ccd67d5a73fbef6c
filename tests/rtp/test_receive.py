"""Real sockets into real files."""

import errno
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pytest

from rtp import receive
from rtp.batch import LARGEST
from rtp.pcap import HEADER, read, record
from rtp.port import Port, open_port
from rtp.receive import Receiver, Tap

HOSTS = ["127.0.0.1", "::1"]
ODD_SIZES = [172, 0, 1, 2, 3, 4, 5, 7, 171, 12, 1400, 1472, LARGEST]


class Scene:
    """Captures, ports and a sender, closed at the end of a test."""

    def __init__(self, stack, directory):
        self._stack, self._directory = stack, directory
        self._senders = {}
        self.paths = {}

    def tap(self, *hosts):
        path = self._directory / f"{len(self.paths)}.pcap"
        capture = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._stack.callback(os.close, capture)
        os.write(capture, HEADER)
        tap = Tap(capture, [self.port(host) for host in hosts])
        self.paths[tap] = path
        return tap

    def port(self, host):
        return Port(self._stack.enter_context(open_port(host, 0)))

    def sender(self, port):
        if port.version not in self._senders:
            opened = socket.socket(port.socket.family, socket.SOCK_DGRAM)
            self._senders[port.version] = self._stack.enter_context(opened)
            opened.bind((port.address, 0))
        return self._senders[port.version]

    def send(self, port, *payloads):
        for payload in payloads:
            self.sender(port).sendto(payload, (port.address, port.port))

    def payloads(self, tap):
        found = read(self.paths[tap])
        assert found.lost_tail == 0
        return [found.payload(i) for i in range(len(found))]


@pytest.fixture
def scene(tmp_path):
    with ExitStack() as stack:
        yield Scene(stack, tmp_path)


def numbered(count, size=20):
    return [index.to_bytes(size, "big") for index in range(count)]


@pytest.mark.usefixtures("stamping")
@pytest.mark.parametrize("host", HOSTS)
def test_captures_have_what_came_octet_for_octet(scene, host):
    tap = scene.tap(host)
    [port] = tap.ports
    payloads = [os.urandom(size) for size in ODD_SIZES]
    before = time.time_ns()
    scene.send(port, *payloads)
    after = time.time_ns()
    drained = Receiver().drain([tap])
    assert (drained.packets, drained.octets, drained.failures) == (len(payloads), sum(ODD_SIZES), ())
    assert port.packets == len(payloads)
    times = read(scene.paths[tap]).time_ns.tolist()
    assert [before, *times, after] == sorted([before, *times, after])
    source = scene.sender(port).getsockname()[:2]
    names = source, (port.address, port.port)
    expected = [record(payload, *names, time_ns) for payload, time_ns in zip(payloads, times, strict=True)]
    assert scene.paths[tap].read_bytes() == HEADER + b"".join(expected)


@pytest.mark.parametrize("host", HOSTS)
def test_a_datagram_longer_than_a_slot_is_cut_and_its_length_known(scene, host):
    tap = scene.tap(host)
    payload = os.urandom(65_507)
    scene.send(tap.ports[0], payload, b"next")
    assert Receiver().drain([tap]).octets == 65_507 + 4
    assert scene.payloads(tap) == [payload[:LARGEST], b"next"]
    header = scene.paths[tap].read_bytes()[len(HEADER) :][:16]
    captured, original = int.from_bytes(header[8:12], "little"), int.from_bytes(header[12:], "little")
    assert original - captured == 65_507 - LARGEST


@pytest.mark.parametrize("slots", [1, 3, 16, receive.MOST_SLOTS])
def test_many_ports_of_many_captures_in_small_batches(scene, slots):
    taps = [scene.tap(*(HOSTS[(i + k) % 2] for k in range(i % 4))) for i in range(30)]
    for turn in range(2):
        for number, tap in enumerate(taps):
            for leg, port in enumerate(tap.ports):
                scene.send(port, *(bytes([number, leg, turn, k]) for k in range(5)))
    receiver = Receiver(slots)
    while receiver.drain(taps).packets:
        continue
    for number, tap in enumerate(taps):
        expected = [
            bytes([number, leg, turn, k]) for leg in range(len(tap.ports)) for turn in range(2) for k in range(5)
        ]
        assert sorted(scene.payloads(tap)) == expected
        assert [port.packets for port in tap.ports] == [10] * len(tap.ports)


def test_a_receiver_goes_on_where_it_was(scene):
    tap, receiver = scene.tap("127.0.0.1"), Receiver(8)
    for count in (5, 0, 8, 3):
        scene.send(tap.ports[0], *numbered(count))
        assert receiver.drain([tap]).packets == count
    assert scene.payloads(tap) == [*numbered(5), *numbered(8), *numbered(3)]


def test_a_flooded_port_does_not_hold_up_the_others(scene):
    flooded, quiet = scene.tap("127.0.0.1"), scene.tap("127.0.0.1")
    scene.send(flooded.ports[0], *numbered(200))
    scene.send(quiet.ports[0], b"quiet")
    receiver = Receiver(4)
    assert receiver.drain([flooded, quiet]).packets < 200
    assert scene.payloads(quiet) == [b"quiet"]
    while receiver.drain([flooded, quiet]).packets:
        continue
    assert scene.payloads(flooded) == numbered(200)


@pytest.mark.parametrize("host", HOSTS)
def test_drops_and_packets_add_up(scene, host):
    tap = scene.tap(host)
    [port] = tap.ports
    port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    scene.send(port, *numbered(500))
    Receiver().drain([tap])
    assert 0 < port.packets < 500
    assert port.packets + port.dropped == 500


def test_a_wildcard_socket_has_the_address_it_is_told(scene, tmp_path):
    tap = scene.tap()
    with open_port("0.0.0.0", 0) as opened:
        port = Port(opened, "127.0.0.1")
        tap.ports.append(port)
        scene.send(port, b"payload")
        Receiver().drain([tap])
    assert read(scene.paths[tap]).destination[0, 12:].tolist() == [127, 0, 0, 1]


CHILD = """
import socket, sys
from rtp.port import Port
from rtp.receive import Receiver, Tap
capture, opened = int(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))
print(Receiver().drain([Tap(capture, [Port(opened)])]).packets)
"""


def test_another_process_goes_on_with_the_same_descriptors(scene):
    tap = scene.tap("127.0.0.1")
    [port] = tap.ports
    scene.send(port, b"ours")
    Receiver().drain([tap])
    scene.send(port, b"theirs", b"theirs too")
    descriptors = (tap.capture, port.socket.fileno())
    command = [sys.executable, "-c", CHILD, *map(str, descriptors)]
    done = subprocess.run(command, pass_fds=descriptors, capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"
    scene.send(port, b"ours again")
    Receiver().drain([tap])
    assert scene.payloads(tap) == [b"ours", b"theirs", b"theirs too", b"ours again"]


# What goes wrong


def test_a_full_disk_is_told_and_other_captures_go_on(scene):
    first, last = scene.tap("127.0.0.1"), scene.tap("127.0.0.1")
    full = os.open("/dev/full", os.O_WRONLY | os.O_APPEND)
    bad = Tap(full, [scene.port("127.0.0.1"), scene.port("127.0.0.1")])
    for tap in (first, bad, last):
        for port in tap.ports:
            scene.send(port, *numbered(3))
    drained = Receiver().drain([first, bad, last])
    os.close(full)
    [failure] = drained.failures
    assert (failure.tap, failure.port, failure.records) == (bad, None, 6)
    assert failure.error.errno == errno.ENOSPC
    assert drained.packets == 12
    assert scene.payloads(first) == scene.payloads(last) == numbered(3)


@contextmanager
def largest_file(octets):
    """No file may grow beyond this: the kernel writes up to there, then refuses."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 1, 63, 64, 65, 640 - 1, 640, 640 + 1])
def test_no_torn_record_stays_when_the_disk_fills_up(scene, room):
    tap, receiver = scene.tap("127.0.0.1"), Receiver()
    scene.send(tap.ports[0], *numbered(11))  # records of 64 octets
    with largest_file(len(HEADER) + room):
        [failure] = receiver.drain([tap]).failures
    whole = room // 64
    assert (failure.records, failure.error.errno) == (11 - whole, errno.EFBIG)
    assert scene.payloads(tap) == numbered(11)[:whole]
    scene.send(tap.ports[0], b"there is room again")
    assert receiver.drain([tap]).failures == ()
    assert scene.payloads(tap)[whole:] == [b"there is room again"]


def test_a_torn_record_stays_when_another_process_has_appended(scene, monkeypatch):
    tap = scene.tap("127.0.0.1")
    scene.send(tap.ports[0], *numbered(2))
    write = os.write

    def torn(descriptor, octets):
        write(descriptor, bytes(octets)[:10])
        with scene.paths[tap].open("ab") as other:
            other.write(b"from another process")
        monkeypatch.setattr(os, "write", refuse)
        return 10

    def refuse(descriptor, octets):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(receive, "_writev", lambda *_: -1)
    monkeypatch.setattr(os, "write", torn)
    [failure] = Receiver().drain([tap]).failures
    assert failure.records == 2
    assert scene.paths[tap].read_bytes().endswith(b"from another process")


@pytest.mark.parametrize("octets", [0, 1, 63, 64, 65, 200, 319])
def test_a_short_write_is_continued(scene, monkeypatch, octets):
    tap = scene.tap("127.0.0.1")
    scene.send(tap.ports[0], *numbered(5))
    times = []

    def short(descriptor, pieces, count):
        times.append(count)
        whole = b"".join(bytes(batch.record(slot)) for slot in range(count))
        return os.write(descriptor, whole[:octets]) if octets else 0

    receiver = Receiver()
    batch = receiver._intake(4)._batch
    monkeypatch.setattr(receive, "_writev", short)
    assert receiver.drain([tap]).failures == ()
    assert times == [5]
    assert scene.payloads(tap) == numbered(5)


def test_a_socket_that_is_closed_is_told_and_others_go_on(scene):
    tap = scene.tap("127.0.0.1", "127.0.0.1", "127.0.0.1")
    tap.ports[1].socket.close()
    for port in (tap.ports[0], tap.ports[2]):
        scene.send(port, b"payload")
    drained = Receiver().drain([tap])
    [failure] = drained.failures
    assert (failure.tap, failure.port, failure.error.errno) == (tap, tap.ports[1], errno.EBADF)
    assert scene.payloads(tap) == [b"payload"] * 2


def test_a_socket_without_time_stamps_does_not_spoil_those_of_others(scene):
    tap, receiver = scene.tap("127.0.0.1"), Receiver(4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.bind(("127.0.0.1", 0))
        port = Port(plain)
        scene.send(port, *numbered(4))
        receiver.drain([Tap(tap.capture, [port])])
    before = time.time_ns()
    scene.send(tap.ports[0], b"stamped")
    receiver.drain([tap])
    assert before <= read(scene.paths[tap]).time_ns[-1] <= time.time_ns()


def test_failures_are_told_once(scene):
    tap = scene.tap("127.0.0.1")
    receiver = Receiver()
    receiver.drain([Tap(-1, tap.ports)])
    scene.send(tap.ports[0], b"lost")
    assert [failure.records for failure in receiver.drain([Tap(-1, tap.ports)]).failures] == [1]
    scene.send(tap.ports[0], b"kept")
    assert receiver.drain([tap]).failures == ()
    assert scene.payloads(tap) == [b"kept"]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_what_was_received(scene):
    tap = scene.tap(*HOSTS)
    payloads = [os.urandom(size) for size in ODD_SIZES]
    for port in tap.ports:
        scene.send(port, *payloads)
    Receiver().drain([tap])
    fields = ["frame.time_epoch", "ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "udp.srcport", "udp.dstport", "data"]
    fields += ["ip.checksum.status", "udp.checksum.status"]
    options = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    for port in tap.ports:
        options += ["-d", f"udp.port=={port.port},data"]
    command = ["tshark", "-n", "-r", scene.paths[tap], *options, "-Tfields", *(f"-e{field}" for field in fields)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    times = iter(read(scene.paths[tap]).time_ns.tolist())
    expected = []
    for port in tap.ports:
        host, sender = port.address, str(scene.sender(port).getsockname()[1])
        four, six, checked = (host, "", ["1", "3"]) if port.version == 4 else ("", host, ["", "1"])
        for payload in payloads:
            time_ns = next(times)
            time_text = f"{time_ns // 10**9}.{time_ns % 10**9:09}"
            expected.append([time_text, four, six, four, six, sender, str(port.port), payload.hex(), *checked])
    assert [line.split("\t") for line in lines] == expected
