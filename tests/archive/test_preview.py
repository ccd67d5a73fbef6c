"""What the start of a capture tells."""

import os
import struct
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from srs.archive import preview

INVITE = (
    b"INVITE sip:srs@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1\r\n"
    b"From: <sip:src@192.0.2.2>;tag=1\r\nTo: <sip:srs@192.0.2.1>\r\n"
    b"Call-ID: call-1@192.0.2.2\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)
SECONDS = 1_795_521_600  # 2026-11-24T12:00:00Z
FILE_HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 101)


def datagram(payload: bytes, seconds: int, *, ipv6: bool = False) -> bytes:
    """One pcap record; addresses and ports do not matter here."""
    ip = b"\x60" + bytes(39) if ipv6 else b"\x45" + bytes(19)
    packet = ip + bytes(8) + payload
    return struct.pack("<IIII", seconds, 500_000_000, len(packet), len(packet)) + packet


def head(path: Path, content: bytes) -> preview.Head:
    path.write_bytes(content)
    os.utime(path, (1_000_000, 1_000_000))
    return preview.head(path)


def test_the_call_id_and_the_time_of_the_first_packet(tmp_path: Path):
    for ipv6 in (False, True):
        content = FILE_HEADER + datagram(b"\x80rtp", SECONDS) + datagram(INVITE, SECONDS + 9, ipv6=ipv6)
        found = head(tmp_path / "a.pcap", content)
        assert found == preview.Head(datetime(2026, 11, 24, 12, 0, 0, 500_000, UTC), "call-1@192.0.2.2")


def test_a_file_that_is_no_capture_has_the_time_it_was_written(tmp_path: Path):
    assert head(tmp_path / "a.pcap", b"something else") == preview.Head(datetime.fromtimestamp(1_000_000, UTC))


def test_an_invite_that_is_none_costs_nothing(tmp_path: Path):
    found = head(tmp_path / "a.pcap", FILE_HEADER + datagram(b"INVITE garbage", SECONDS))
    assert found.call_id is None


@given(cut=st.integers(0, len(INVITE) + 68), flip=st.integers(0, len(INVITE) + 67), value=st.integers(0, 255))
def test_cut_and_damaged_files_never_raise(tmp_path_factory, cut: int, flip: int, value: int):
    content = bytearray(FILE_HEADER + datagram(INVITE, SECONDS))
    content[flip] = value
    head(tmp_path_factory.mktemp("x") / "a.pcap", bytes(content[:cut]))
