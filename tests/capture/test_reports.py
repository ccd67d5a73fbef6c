"""Receiver reports that a client gets from the recorder, read by the client's own socket."""

import re
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from support.calls import Talk, make_plan
from support.recorder import until

from rtp.port import Port
from rtp.receive import Receiver, Tap
from rtp.rtcp import Goodbye, Name, ReportBlock, parse
from srs.capture.reports import Reports

NOW_NS = 1_795_521_600_000_000_000


@pytest.fixture
def ports() -> Iterator[list[socket.socket]]:
    """The recorder's RTP and RTCP sockets, the client's RTP and RTCP sockets."""
    opened = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]
    for each in opened:
        each.bind(("127.0.0.1", 0))
        each.settimeout(2.0)
    yield opened
    for each in opened:
        each.close()


@pytest.fixture
def hear(tmp_path, ports) -> Iterator[Callable[[Reports], None]]:
    """What a capture worker does in a turn before it sends the report that is due."""
    with (tmp_path / "1.pcap").open("ab") as capture:
        tap, receiver = Tap(capture.fileno()), Receiver(slots=64)

        def run(reports: Reports) -> None:
            tap.ports[:] = [reports._rtp, reports._control]
            reports.prepare()
            for shown in receiver.drain([tap]).shown:
                reports.see(shown)

        yield run


@pytest.fixture
def turn(hear) -> Callable[[Reports, float], None]:
    """What it does in that turn."""

    def run(reports: Reports, now: float) -> None:
        hear(reports)
        reports.send(now, NOW_NS)

    return run


def rtp(sequence: int) -> bytes:
    return struct.pack("!BBHII", 0x80, 0, sequence, 160 * sequence, 7) + bytes(160)


def test_a_report_goes_to_where_the_senders_come_from(ports, turn) -> None:
    ours, control, theirs, their_control = ports
    reports = Reports(Port(ours), Port(control), "cname", 0.0, draw=lambda: 0.5)
    assert reports.due == 2.5
    for sequence in range(100):
        theirs.sendto(rtp(sequence), ours.getsockname())
    their_control.sendto(struct.pack("!BBHIQIII", 0x80, 200, 6, 7, 1 << 32, 0, 0, 0), control.getsockname())
    turn(reports, 2.5)
    data, source = their_control.recvfrom(2000)
    block, name = parse(data)
    assert source == control.getsockname()
    assert isinstance(block, ReportBlock)
    assert (block.ssrc, block.highest, block.lost, block.last_report) == (7, 99, 0, 1 << 16)
    assert name == Name(reports._ssrc, "cname")
    assert reports.due == 7.5
    reports.leave()
    assert [type(each) for each in parse(their_control.recv(2000))] == [Name, Goodbye]


def test_who_has_heard_nothing_of_us_hears_no_goodbye(ports, hear, turn) -> None:
    ours, control, theirs, their_control = ports
    reports = Reports(Port(ours), Port(control), "cname", 0.0)
    turn(reports, 5.0)
    reports.leave()
    theirs.sendto(rtp(1), ours.getsockname())
    their_control.sendto(struct.pack("!BBHIQIII", 0x80, 200, 6, 7, 1 << 32, 0, 0, 0), control.getsockname())
    hear(reports)
    reports.leave()
    for each in (theirs, their_control):
        each.settimeout(0.05)
        with pytest.raises(TimeoutError):
            each.recv(2000)


def test_reports_come_at_random_moments(ports) -> None:
    ours, control, *_ = ports
    assert Reports(Port(ours), Port(control), "", 100.0, draw=lambda: 0.0).due == 101.25
    assert Reports(Port(ours), Port(control), "", 100.0, draw=lambda: 1.0).due == 103.75


def test_a_whole_call_gets_its_reports(recorder) -> None:
    """The client of the call sends from one port per leg; reports go to the next port until its RTCP says otherwise."""
    plan = make_plan(recorder, 6.5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        control.bind((recorder.host, 0))
        control.settimeout(0.2)
        running = Talk(plan)
        until(lambda: "event=recording" in recorder.log.read_text(), recorder.log.read_text)
        port = int(re.search(r"ports=\"\{0: (\d+)", recorder.log.read_text())[1])
        packets = []
        while running.running or not any(isinstance(each, Goodbye) for each in packets):
            assert len(packets) < 100
            control.sendto(struct.pack("!BBHIQIII", 0x80, 200, 6, 7, 1 << 32, 0, 0, 0), (recorder.host, port + 1))
            with suppress(TimeoutError):
                packets += parse(control.recv(2000))
    blocks = [each for each in packets if isinstance(each, ReportBlock)]
    assert blocks
    assert {(each.lost, each.fraction_lost) for each in blocks} == {(0, 0.0)}
    (recording,) = recorder.recordings(1)
    assert [leg["packets"] for leg in recording["legs"]] == [325, 325]
