"""Slots for datagrams received many at once, each straight into the place where its capture record is complete.

The kernel puts a datagram behind the room for its record, IP and UDP headers. These are then written for all slots
together, and the slots appended to the captures as they lie: no octet of a payload is moved here.

The memory may be one that outlives the process. It then tells a successor what was received and whose it is:
`owners` holds, at the first slot of each run, the number of the port; a slot whose length is still UNFILLED got
nothing.
"""

import mmap
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtp.ip import IPV4, IPV6, PROTOCOL_UDP, TTL, UDP

PAYLOAD_AT: Final = 64
"""Within a slot: behind the longest headers, at a cache line."""
LARGEST: Final = 4032
"""Octets of a datagram that are kept; no packet of RTP audio has as many."""
SLOT: Final = PAYLOAD_AT + LARGEST + 64
"""The line more spreads the slots over the sets of the caches."""

# Of 64-bit Linux: struct mmsghdr, struct iovec, a struct cmsghdr with SCM_TIMESTAMPNS, struct sockaddr_in and _in6
MESSAGE: Final = np.dtype(
    {
        "names": ["name", "name_size", "targets", "target_count", "control", "control_size", "length"],
        "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "u4"],
        "offsets": [0, 8, 16, 24, 32, 40, 56],
        "itemsize": 64,
    }
)
PIECE: Final = np.dtype([("base", "u8"), ("size", "u8")])
_CONTROL: Final = np.dtype([("head", "V16"), ("seconds", "i8"), ("nanoseconds", "i8")])
_NAME: Final = {
    4: np.dtype([("family", "u2"), ("port", ">u2"), ("address", "u4"), ("zero", "V8")]),
    6: np.dtype([("family", "u2"), ("port", ">u2"), ("flow", "u4"), ("address", "V16"), ("scope", "u4")]),
}
_RECORD: Final = [(name, "<u4") for name in ("seconds", "nanoseconds", "captured", "original")]
_HEADERS: Final = {
    4: np.dtype([*_RECORD, ("ip", IPV4), ("udp", UDP)]),
    6: np.dtype([*_RECORD, ("ip", IPV6), ("udp", UDP)]),
}
_RECORD_SIZE: Final = 16
_STATE: Final = np.dtype([("done", "u8"), ("spare", "V56")])
_OWNER: Final = np.dtype([("number", "u4")])
UNFILLED: Final = 0xFFFFFFFF
"""The length in a message that no datagram was received into."""
_HUGE_PAGE: Final = 1 << 21


def allocate(octets: int) -> memoryview:
    """Return zeroed memory, in huge pages where the kernel gives them."""
    pages = -(-octets // _HUGE_PAGE)
    memory = mmap.mmap(-1, pages * _HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(memory)


class Batch:
    """Slots for datagrams of one version of IP, filled from the first on and then completed all together."""

    def __init__(self, version: int, slots: int, memory: memoryview | None = None) -> None:
        """
        Args:
            version: of IP, 4 or 6.
            memory: `octets(version, slots)` of it, zeroed, or as a batch of another process left them; see `left`.
        """
        self.slots = slots
        self._version = version
        headers = _HEADERS[version]
        memory = allocate(octets(version, slots)) if memory is None else memory
        parts = _carve(memory, slots, *_kinds(version))
        slot, self.messages, targets, self.pieces, self._controls, self._names, owners = parts
        self._numbers = owners["number"]
        self.owners = owners.view(np.uint8).data.cast("I")
        """Number of the port whose datagrams begin at a slot; to be written before they are received."""
        end = octets(version, slots)
        self._done = memory[end - _STATE.itemsize : end].cast("Q")
        self._octets = slot.view(np.uint8).reshape(slots, SLOT)
        self._headers = self._octets[:, PAYLOAD_AT - headers.itemsize : PAYLOAD_AT].view(headers)[:, 0]
        self._ip, self._udp = self._headers["ip"], self._headers["udp"]
        self._overhead = headers.itemsize - _RECORD_SIZE
        addresses = np.zeros((2, slots), self._ip.dtype["source"])
        self._standing = np.full(slots, UNFILLED, np.uint32), addresses[0], addresses[1]
        """Lengths, sources and destinations that the headers in the slots have."""
        targets["base"] = _addresses(slot) + PAYLOAD_AT
        targets["size"] = LARGEST
        self.pieces["base"] = _addresses(slot) + PAYLOAD_AT - headers.itemsize
        self.messages["name"], self.messages["targets"] = _addresses(self._names), _addresses(targets)
        self.messages["control"], self.messages["target_count"] = _addresses(self._controls), 1
        self._write_constants()
        if not self.left():
            self.reset(slots)

    def left(self) -> list[tuple[int, int, int]]:
        """Return what a predecessor received and may not have written out: port's number, first slot, datagrams.

        `reset` makes the batch ready to receive, once that is done.
        """
        starts = np.flatnonzero(self._numbers).tolist()
        runs = []
        for start, end in pairwise([*starts, self.slots]):
            empty = np.flatnonzero(self.messages["length"][start:end] == UNFILLED)
            count = int(empty[0]) if len(empty) else end - start
            if count and start >= self._done[0]:
                runs.append((int(self._numbers[start]), start, count))
        return runs

    def reset(self, count: int) -> None:
        """Make the first `count` slots ready to receive: the kernel has overwritten sizes in their messages."""
        self._done[0] = count
        self.messages["length"][:count] = UNFILLED
        self.messages["name_size"][:count] = self._names.itemsize
        self.messages["control_size"][:count] = self._controls.itemsize
        self._numbers[: count + 1] = 0
        self._done[0] = 0

    def record(self, slot: int) -> memoryview:
        """Return a completed record."""
        start = PAYLOAD_AT - self._headers.itemsize
        return self._octets[slot, start : start + int(self.pieces["size"][slot])].data

    def time_ns(self, slots: slice) -> NDArray[np.int64]:
        """Return when completed records came, UTC."""
        headers = self._headers[slots]
        came: NDArray[np.int64] = headers["seconds"].astype(np.int64) * 1_000_000_000 + headers["nanoseconds"]
        return came

    def complete(self, destinations: Sequence[bytes], ports: Sequence[int], counts: Sequence[int]) -> int:
        """Write the headers of all datagrams received, and the sizes of their records into `pieces`.

        Args:
            destinations, ports: one packed address and UDP port for each run of slots.
            counts: slots in each run.

        Returns:
            The octets of all datagrams.
        """
        length = self.messages["length"][: sum(counts)].astype(np.uint32)
        headers, controls = self._headers[: len(length)], self._controls[: len(length)]
        headers["seconds"], headers["nanoseconds"] = controls["seconds"], controls["nanoseconds"]
        udp = self._udp[: len(length)]
        udp["source_port"] = self._names["port"][: len(length)]
        udp["destination_port"] = np.repeat(np.array(ports, np.uint16), counts)
        source = self._names["address"][: len(length)]
        destination = np.repeat(np.frombuffer(b"".join(destinations), self._ip.dtype["destination"]), counts)
        if not self._stand(length, source, destination):
            self._write_lengths(length)
            ip = self._ip[: len(length)]
            ip["source"], ip["destination"] = source, destination
            if self._version == 4:
                self._check_ipv4(ip)
        if self._version == 6:
            self._check_ipv6(length)
        return int(length.sum(dtype=np.int64))

    def _stand(self, *columns: NDArray[np.generic]) -> bool:
        """Tell whether the slots have these lengths, sources and destinations from what was in them before: most
        packets are like those before them."""
        alike = all(
            bool((now == before[: len(now)]).all()) for now, before in zip(columns, self._standing, strict=True)
        )
        if not alike:
            for now, before in zip(columns, self._standing, strict=True):
                before[: len(now)] = now
        return alike

    def _write_lengths(self, length: NDArray[np.uint32]) -> None:
        headers, behind_ip = self._headers[: len(length)], length + UDP.itemsize
        captured = np.minimum(length, LARGEST) + self._overhead
        headers["captured"], headers["original"] = captured, length + self._overhead
        self.pieces["size"][: len(length)] = captured + _RECORD_SIZE
        self._udp["length"][: len(length)] = behind_ip
        self._ip["length"][: len(length)] = length + self._overhead if self._version == 4 else behind_ip

    def _write_constants(self) -> None:
        if self._version == 4:
            self._ip["version"], self._ip["ttl"], self._ip["protocol"] = 0x45, TTL, PROTOCOL_UDP
        else:
            self._ip["version"], self._ip["hops"], self._ip["next"] = 0x60, TTL, PROTOCOL_UDP

    def _check_ipv4(self, ip: NDArray[np.void]) -> None:
        """Write the header checksum; UDP does without one (RFC 768)."""
        source, destination = ip["source"], ip["destination"]
        words = ip["length"].view(np.uint16) + (source & 0xFFFF) + (source >> 16) + (destination & 0xFFFF)
        ip["checksum"] = _complement(words + (destination >> 16) + _IPV4_CONSTANT)

    def _check_ipv6(self, length: NDArray[np.uint32]) -> None:
        """Write the UDP checksum that IPv6 wants (RFC 8200 §8.1)."""
        udp = self._udp[: len(length)]
        udp["checksum"] = 0
        pseudo = udp["length"].view(np.uint16) + _IPV6_CONSTANT
        udp["checksum"] = _complement(self._sums(np.minimum(length, LARGEST).astype(np.int64)) + pseudo)

    def _sums(self, length: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return the sum over addresses, UDP header and payload of each datagram, in words as they lie in memory."""
        sums = np.empty(len(length), np.uint64)
        rows = np.arange(len(length))
        for octet in range(4):
            self._octets[rows, PAYLOAD_AT + length + octet] = 0  # so that a whole word may be read at the end
        words = self._octets.view(np.uint32)
        counts = (length + 3) // 4
        for count in np.unique(counts).tolist():
            chosen = np.flatnonzero(counts == count)
            sums[chosen] = words[chosen, _SUMMED_AT : PAYLOAD_AT // 4 + count].sum(axis=1, dtype=np.uint64)
        return sums


_IPV4_CONSTANT: Final = np.uint32(
    int.from_bytes(b"\x45\x00", sys.byteorder) + int.from_bytes(bytes([TTL, PROTOCOL_UDP]), sys.byteorder)
)
"""The words of an IPv4 header that are the same in all, as they lie in memory."""
_IPV6_CONSTANT: Final = np.uint32(int.from_bytes(bytes([0, PROTOCOL_UDP]), sys.byteorder))
"""Those of the pseudo-header of RFC 8200 §8.1."""
_SUMMED_AT: Final = (PAYLOAD_AT - UDP.itemsize - 32) // 4
"""The word of a slot with which IPv6 addresses begin."""


def _complement(sums: NDArray[np.uint32] | NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Return the Internet checksums for sums of words (RFC 1071), in the same order of octets; see `ip.checksum`."""
    return ~(sums % 0xFFFF).astype(np.uint16)


def octets(version: int, slots: int) -> int:
    """Return the size of the memory of a batch."""
    return slots * sum(kind.itemsize for kind in _kinds(version)) + _STATE.itemsize


def _kinds(version: int) -> tuple[np.dtype[np.void], ...]:
    """Return what there is for each slot."""
    return np.dtype(f"V{SLOT}"), MESSAGE, PIECE, PIECE, _CONTROL, _NAME[version], _OWNER


def _carve(memory: memoryview, slots: int, *kinds: np.dtype[np.void]) -> list[NDArray[np.void]]:
    """Return an array of `slots` items for each kind, in one piece of memory."""
    parts, at = [], 0
    for kind in kinds:
        parts.append(np.frombuffer(memory, kind, slots, at))
        at += slots * kind.itemsize
    return parts


def _addresses(array: NDArray[np.void]) -> NDArray[np.uint64]:
    """Return where each item lies in memory."""
    return np.uint64(array.ctypes.data) + np.arange(len(array), dtype=np.uint64) * np.uint64(array.itemsize)
