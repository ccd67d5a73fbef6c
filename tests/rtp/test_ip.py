"""Addresses and checksums against worked examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtp import ip


def folded(data):
    """The sum of RFC 1071 §4.1, word by word."""
    total = 0
    for high, low in zip(data[::2], data[1::2] + b"\0" * (len(data) % 2), strict=True):
        total += high << 8 | low
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_checksum_of_the_example_in_rfc_1071():
    assert ip.checksum(bytes.fromhex("0001f203f4f5f6f7")) == ~0xDDF2 & 0xFFFF


@given(st.binary(min_size=1, max_size=100))
def test_data_and_checksum_add_up(data):
    even = data + b"\0" * (len(data) % 2)
    assert folded(even + ip.checksum(data).to_bytes(2, "big")) == 0xFFFF
    assert ip.checksum(data) != 0


def test_addresses():
    assert ip.pack("192.0.2.1") == bytes([192, 0, 2, 1])
    assert ip.pack("fe80::1%eth0") == b"\xfe\x80" + bytes(13) + b"\1"
    assert ip.mapped("192.0.2.1") == bytes(10) + b"\xff\xff" + bytes([192, 0, 2, 1])
    with pytest.raises(OSError, match="illegal"):
        ip.pack("localhost")


def test_headers_have_the_sizes_of_their_rfcs():
    assert (ip.IPV4.itemsize, ip.IPV6.itemsize, ip.UDP.itemsize) == (20, 40, 8)
