"""IP and UDP headers (RFC 791, 8200, 768) as numpy rows, and the checksum of RFC 1071."""

import socket
from functools import lru_cache

import numpy as np

IPV4 = np.dtype(
    [
        ("version", "u1"),
        ("service", "u1"),
        ("length", ">u2"),
        ("identification", ">u2"),
        ("fragment", ">u2"),
        ("ttl", "u1"),
        ("protocol", "u1"),
        ("checksum", "u2"),
        ("source", "u4"),
        ("destination", "u4"),
    ]
)
"""Addresses and checksum as they lie in memory: they are copied and summed, never compared by size."""
IPV6 = np.dtype(
    [
        ("version", "u1"),
        ("flow", "V3"),
        ("length", ">u2"),
        ("next", "u1"),
        ("hops", "u1"),
        ("source", "V16"),
        ("destination", "V16"),
    ]
)
UDP = np.dtype([("source_port", ">u2"), ("destination_port", ">u2"), ("length", ">u2"), ("checksum", "u2")])

PROTOCOL_UDP = 17
TTL = 64
MAPPED = b"\0" * 10 + b"\xff\xff"
"""What an IPv4 address has before it when written as IPv6 (RFC 4291 §2.5.5.2)."""


@lru_cache(maxsize=4096)
def pack(address: str) -> bytes:
    """Return the 4 octets of an IPv4 address, or the 16 of an IPv6 address without its %scope.

    Raises:
        OSError: it is neither.
    """
    if ":" in address:
        return socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    return socket.inet_pton(socket.AF_INET, address)


def mapped(address: str) -> bytes:
    """Return the 16 octets of an address, of an IPv4 one as IPv6."""
    packed = pack(address)
    return packed if len(packed) == 16 else MAPPED + packed


def checksum(data: bytes) -> int:
    """Return the Internet checksum: the complement of the sum of 16-bit words, carried round, so modulo 0xFFFF.

    It is never 0, which for UDP would mean that there is none.
    """
    return ~(int.from_bytes(data + bytes(len(data) % 2), "big") % 0xFFFF) & 0xFFFF
