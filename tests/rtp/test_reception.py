"""Reports about streams whose losses and jitter are known."""

import struct

import pytest

from rtp import pcap
from rtp.reception import Reception, Seen, read
from rtp.rtcp import report

MS = 1_000_000
HERE, THERE = ("192.0.2.1", 16384), ("192.0.2.9", 4000)


def rtp(sequence: int, ms: float, timestamp: int | None = None, ssrc: int = 7, source=THERE) -> Seen:
    stamp = (sequence * 160 if timestamp is None else timestamp) & 0xFFFFFFFF
    header = struct.pack("!BBHII", 0x80, 0, sequence & 0xFFFF, stamp, ssrc)
    return Seen(round(ms * MS), source, header + bytes(160))


def sender_report(ntp: int) -> bytes:
    return struct.pack("!BBHIQIII", 0x80, 200, 6, 7, ntp, 0, 0, 0)


@pytest.mark.parametrize(
    ("here", "there"), [(HERE, THERE), (("2001:db8::1", 16384), ("2001:db8::9", 4000))], ids=["IPv4", "IPv6"]
)
def test_records_are_read(here, there):
    assert read(pcap.record(b"payload", there, here, 1_795_521_600_123_456_789)) == Seen(
        1_795_521_600_123_456_789, there, b"payload"
    )


def test_nothing_came():
    reception = Reception()
    reception.on_rtp([], 0)
    reception.on_rtp([Seen(0, THERE, b"\x80\0")], 1)
    assert reception.report(0) is None
    assert reception.reports_to is None


def test_losses_since_the_report_before_and_since_the_beginning():
    """Sequence numbers wrap; of 100 packets 25 are lost, then none of 100."""
    reception = Reception()
    reception.on_rtp([rtp(65_500, 0)], 10)
    first = reception.report(0)
    assert (first.ssrc, first.lost, first.fraction_lost, first.highest) == (7, 0, 0.0, 65_500)
    reception.on_rtp([rtp(65_600, 2000)], 85)
    second = reception.report(0)
    assert (second.lost, second.fraction_lost, second.highest) == (25, 0.25, 65_600)
    reception.on_rtp([rtp(65_700, 4000)], 185)
    third = reception.report(0)
    assert (third.lost, third.fraction_lost, third.highest) == (25, 0.0, 65_700)


def test_what_came_twice_makes_losses_negative():
    reception = Reception()
    reception.on_rtp([rtp(1, 0)], 1)
    reception.on_rtp([rtp(11, 200)], 13)
    told = reception.report(0)
    assert (told.lost, told.fraction_lost) == (-2, 0.0)


def test_another_sender_begins_anew():
    reception = Reception()
    reception.on_rtp([rtp(1, 0)], 1)
    reception.on_rtp([rtp(900, 200, ssrc=8, source=("192.0.2.10", 6000))], 50)
    told = reception.report(0)
    assert (told.ssrc, told.lost, told.highest) == (8, 0, 900)
    assert reception.reports_to == ("192.0.2.10", 6001)


def test_jitter_as_the_rfc_reckons():
    """Every other packet comes 5 ms late, 40 timestamp units: the mean of |D| is 40."""
    reception = Reception()
    for _ in range(40):
        reception.on_rtp([rtp(number, 20 * number + 5 * (number % 2)) for number in range(16)], 16)
    assert reception.report(0).jitter == 39
    even = Reception()
    even.on_rtp([rtp(number, 20 * number, timestamp=2**32 - 800 + 160 * number) for number in range(16)], 16)
    assert even.report(0).jitter == 0


def test_the_senders_own_report():
    reception = Reception()
    reception.on_rtp([rtp(1, 0)], 1)
    assert reception.reports_to == ("192.0.2.9", 4001)
    reception.on_rtcp(Seen(1000 * MS, ("192.0.2.9", 5555), b"no RTCP"))
    assert reception.reports_to == ("192.0.2.9", 4001)
    reception.on_rtcp(Seen(1000 * MS, ("192.0.2.9", 5555), sender_report(0x1122334455667788)))
    told = reception.report(3500 * MS)
    assert (told.last_report, told.delay) == (0x33445566, round(2.5 * 65536))
    assert reception.reports_to == ("192.0.2.9", 5555)
    assert report(1, "srs", [told])
