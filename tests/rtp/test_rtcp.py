"""RTCP built and read; tshark is the independent reader."""

import shutil
import struct
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtp import pcap
from rtp.rtcp import Goodbye, Name, ReportBlock, RtcpError, SenderReport, goodbye, parse, report

WORD = st.integers(0, 2**32 - 1)
BLOCK = ReportBlock(0xDECAFBAD, 64 / 256, -3, 0x0001ABCD, 42, 0x89ABCDEF, 131072)
SENDER = struct.pack("!BBHIQIII", 0x80, 200, 6, 0xDECAFBAD, (3_900_000_000 << 32) | 1 << 31, 160, 7, 1120)
blocks = st.builds(
    ReportBlock, WORD, st.integers(0, 255).map(lambda n: n / 256), st.integers(-(2**23), 2**23 - 1), *[WORD] * 4
)


@given(WORD, st.text(max_size=50), st.lists(blocks, max_size=31))
def test_what_is_built_is_read(ssrc, cname, told):
    assert list(parse(report(ssrc, cname, told))) == [*told, Name(ssrc, cname)]


def test_more_blocks_than_fit_are_left_out():
    assert len(list(parse(report(1, "srs", [BLOCK] * 40)))) == 32


def test_losses_beyond_24_bits_are_the_most_that_can_be_said():
    told = ReportBlock(1, 2.0, 1 << 30, 0, 0)
    assert next(iter(parse(report(1, "", [told])))) == ReportBlock(1, 255 / 256, (1 << 23) - 1, 0, 0)


def test_a_sender_report():
    (read,) = parse(SENDER)
    assert read == SenderReport(0xDECAFBAD, (3_900_000_000 << 32) | 1 << 31, 160, 7, 1120)
    assert read.time_ns == (3_900_000_000 - 2_208_988_800) * 10**9 + 500_000_000
    assert SenderReport(1, 0, 0, 0, 0).time_ns == 0
    assert SenderReport(1, 10 << 32, 0, 0, 0).time_ns == (2**32 + 10 - 2_208_988_800) * 10**9  # in 2036


def test_goodbye():
    assert list(parse(goodbye(7, "srs"))) == [Name(7, "srs"), Goodbye((7,))]


@pytest.mark.parametrize(
    "data",
    [
        SENDER[:-1],
        SENDER[:3],
        b"\0" + SENDER[1:],
        b"\x81\xc8\0\1aaaa",
        b"\x81\xca\0\2" + b"\0\0\0\1\1\x09ab",
        b"\x85\xcb\0\1aaaa",
    ],
)
def test_broken_packets(data):
    with pytest.raises(RtcpError, match="octet 0"):
        list(parse(data))


@given(st.binary(max_size=80))
def test_anything_is_read_or_refused(data):
    with suppress(RtcpError):
        list(parse(data))


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_tshark_reads_the_same(tmp_path: Path):
    file = tmp_path / "rtcp.pcap"
    packets = [report(0x01020304, "srs@192.0.2.1", [BLOCK]), goodbye(0x01020304, "srs@192.0.2.1")]
    ends = ("192.0.2.1", 16385), ("192.0.2.2", 5005)
    file.write_bytes(pcap.HEADER + b"".join(pcap.record(packet, *ends, 10**18) for packet in packets))
    names = ("ssrc.identifier", "ssrc.fraction", "ssrc.cum_nr", "ssrc.high_seq", "ssrc.high_cycles", "ssrc.jitter")
    names += ("ssrc.lsr", "ssrc.dlsr", "sdes.text", "pt")
    command = ["tshark", "-r", str(file), "-d", "udp.port==16385,rtcp", "-T", "fields"]
    command += [word for name in names for word in ("-e", f"rtcp.{name}")]
    told = subprocess.run([*command, "-e", "_ws.malformed"], capture_output=True, text=True, check=True).stdout
    first, second = (line.split("\t") for line in told.splitlines())
    assert first[0] == "0xdecafbad,0x01020304"
    assert first[1:10] == ["64", "-3", "43981", "1", "42", "2309737967", "131072", "srs@192.0.2.1", "201,202"]
    assert second[9] == "201,202,203"
    assert first[10] == second[10] == ""
