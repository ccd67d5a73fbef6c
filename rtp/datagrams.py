"""The UDP datagrams of captured packets as columns: link, IP and UDP headers taken off."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rtp.ip import IPV4, IPV6, MAPPED, PROTOCOL_UDP, UDP
from rtp.records import rows

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]

NULL, ETHERNET, RAW, LOOP, SLL, RAW4, RAW6, SLL2 = 0, 1, 101, 108, 113, 228, 229, 276
LINK_TYPES = {
    NULL: "BSD loopback",
    ETHERNET: "Ethernet",
    RAW: "raw IP",
    LOOP: "OpenBSD loopback",
    SLL: "Linux SLL",
    RAW4: "IPv4",
    RAW6: "IPv6",
    SLL2: "Linux SLL2",
}
_TYPE_AT = {ETHERNET: 12, SLL: 14, SLL2: 0}
"""Where the link header tells the protocol."""
_IP_AT = {NULL: 4, ETHERNET: 14, RAW: 0, LOOP: 4, SLL: 16, RAW4: 0, RAW6: 0, SLL2: 20}
_ETHERTYPES = (0x0800, 0x86DD)
_VLAN = (0x8100, 0x88A8, 0x9100)
_MOST_TAGS = 2
_FRAGMENT = 44
_EXTENSIONS = (0, 43, 60)
"""IPv6 headers that may stand before UDP: hop-by-hop, routing, destination options (RFC 8200 §4)."""
_MOST_EXTENSIONS = 4
_WORD = np.dtype([("value", ">u2")])
_COLUMNS = ("time_ns", "source", "source_port", "destination", "destination_port", "start", "length")
_SUMS = ("lost_tail", "fragments", "other")
_EXTENSION = np.dtype([("next", "u1"), ("length", "u1")])


@dataclass(frozen=True, slots=True, eq=False)
class Datagrams:
    """Columns over all UDP datagrams of one capture, in file order."""

    data: Octets
    """The whole file, memory mapped."""
    time_ns: Integers
    """UTC."""
    source: Octets
    """(n, 16): IPv6, or IPv4 mapped (::ffff:a.b.c.d)."""
    source_port: NDArray[np.uint16]
    destination: Octets
    """(n, 16)."""
    destination_port: NDArray[np.uint16]
    start: Integers
    """Offset of the UDP payload in `data`."""
    length: NDArray[np.int32]
    """Octets of UDP payload present in the file."""
    lost_tail: int
    """Octets that form no whole record: a capture cut in mid-write, or damaged."""
    fragments: int = 0
    """IP fragments; `rtp.reassembly` puts them together."""
    other: int = 0
    """Packets that are no UDP datagram, or a broken one."""

    def __len__(self) -> int:
        return len(self.start)

    def take(self, which: NDArray[np.bool_]) -> "Datagrams":
        """Return some of them."""
        if which.all():
            return self
        columns = ("time_ns", "source", "source_port", "destination", "destination_port", "start", "length")
        return replace(self, **{name: getattr(self, name)[which] for name in columns})

    def payload(self, i: int) -> bytes:
        """Return the payload of one datagram."""
        start = int(self.start[i])
        return self.data[start : start + int(self.length[i])].tobytes()


def merged(parts: Sequence[Datagrams]) -> Datagrams:
    """Return the datagrams of several link types of one file, in order of time."""
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate([part.time_ns for part in parts]), kind="stable")
    columns = [np.concatenate([getattr(part, name) for part in parts])[order] for name in _COLUMNS]
    lost_tail, fragments, other = (sum(getattr(part, name) for part in parts) for name in _SUMS)
    time_ns, source, source_port, destination, destination_port, start, length = columns
    return Datagrams(
        parts[0].data,
        time_ns,
        source,
        source_port,
        destination,
        destination_port,
        start,
        length,
        lost_tail,
        fragments,
        other,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Carriers:
    """IP packets that carry UDP."""

    row: Integers
    """Which of the captured packets."""
    udp: Integers
    """Offset of the UDP header."""
    source: Octets
    destination: Octets
    fragments: int
    """Packets that were left out because they are fragments."""


def find(
    data: Octets, time_ns: Integers, start: Integers, captured: Integers, link: int, *, lost_tail: int
) -> Datagrams:
    """Return the UDP datagrams among captured packets.

    Args:
        data: the octets that the packets lie in.
        time_ns, start, captured: one item a packet: UTC, offset of the link header, octets present.
        link: one of `LINK_TYPES`.
        lost_tail: as in the result.
    """
    end = start + captured
    carriers = _carriers(data, start, end, link)
    header = rows(data, carriers.udp, UDP)
    told = header["length"].astype(np.int64)
    payload = carriers.udp + UDP.itemsize
    present = end[carriers.row] - payload
    length = np.where(told == 0, present, np.minimum(told - UDP.itemsize, present))  # 0: a jumbogram (RFC 2675 §4)
    sound = _where(length >= 0)
    row = carriers.row[sound]
    return Datagrams(
        data=data,
        time_ns=time_ns[row],
        source=carriers.source[sound],
        source_port=header["source_port"][sound].astype(np.uint16),
        destination=carriers.destination[sound],
        destination_port=header["destination_port"][sound].astype(np.uint16),
        start=payload[sound],
        length=length[sound].astype(np.int32),
        lost_tail=lost_tail,
        fragments=carriers.fragments,
        other=len(start) - len(row) - carriers.fragments,
    )


def _carriers(data: Octets, start: Integers, end: Integers, link: int) -> _Carriers:
    at = network(data, start, end, link)
    some = np.flatnonzero(at < end)
    version = data[at[some]] >> 4
    four, six = some[version == 4], some[version == 6]
    if len(six) == 0:
        return _ipv4(data, four, at[four], end[four])
    return _merge(_ipv4(data, four, at[four], end[four]), _ipv6(data, six, at[six], end[six]))


def network(data: Octets, start: Integers, end: Integers, link: int) -> Integers:
    """Return where each IP header begins; the end of the packet, where it has none."""
    at = start + _IP_AT[link]
    if link not in _TYPE_AT:
        return at
    kind = _big_endian(data, start + _TYPE_AT[link], end)
    for _ in range(_MOST_TAGS):
        tagged = np.isin(kind, _VLAN)
        if not tagged.any():
            break
        at[tagged] += 4
        kind[tagged] = _big_endian(data, at[tagged] - 2, end[tagged])
    return np.where(np.isin(kind, _ETHERTYPES), at, end)


def _big_endian(data: Octets, at: Integers, end: Integers) -> Integers:
    """Return the 16-bit words at `at`; 0 where they are not within the packet."""
    words = np.zeros(len(at), np.int64)
    within = at + 2 <= end
    words[within] = rows(data, at[within], _WORD)["value"]
    return words


def _ipv4(data: Octets, row: Integers, at: Integers, end: Integers) -> _Carriers:
    whole = _where(at + IPV4.itemsize <= end)
    row, at, end = row[whole], at[whole], end[whole]
    header = rows(data, at, IPV4)
    fragment = header["fragment"] & 0x3FFF != 0
    size = 4 * (header["version"] & 15).astype(np.int64)
    sound = (size >= IPV4.itemsize) & (at + size + UDP.itemsize <= end)
    chosen = _where((header["protocol"] == PROTOCOL_UDP) & sound & ~fragment)
    header = header[chosen]
    addresses = _mapped(header["source"]), _mapped(header["destination"])
    return _Carriers(row[chosen], (at + size)[chosen], *addresses, int(fragment.sum()))


def _ipv6(data: Octets, row: Integers, at: Integers, end: Integers) -> _Carriers:
    whole = _where(at + IPV6.itemsize <= end)
    row, at, end = row[whole], at[whole], end[whole]
    header = rows(data, at, IPV6)
    udp, kind = _behind_extensions(data, at + IPV6.itemsize, header["next"].copy(), end)
    chosen = _where((kind == PROTOCOL_UDP) & (udp + UDP.itemsize <= end))
    header = header[chosen]
    addresses = _octets(header["source"]), _octets(header["destination"])
    return _Carriers(row[chosen], udp[chosen], *addresses, int((kind == _FRAGMENT).sum()))


def _behind_extensions(
    data: Octets, at: Integers, kind: NDArray[np.uint8], end: Integers
) -> tuple[Integers, NDArray[np.uint8]]:
    """Return where what follows the IPv6 extension headers begins, and what it is."""
    for _ in range(_MOST_EXTENSIONS):
        more = np.flatnonzero(np.isin(kind, _EXTENSIONS) & (at + 2 <= end))
        if len(more) == 0:
            break
        extension = rows(data, at[more], _EXTENSION)
        kind[more] = extension["next"]
        at[more] += 8 * (extension["length"].astype(np.int64) + 1)
    return at, kind


def _where(mask: NDArray[np.bool_]) -> slice | NDArray[np.bool_]:
    """Return an index of what `mask` tells; that of all costs no copy."""
    return slice(None) if mask.all() else mask


def _mapped(addresses: NDArray[np.uint32]) -> Octets:
    """Return IPv4 addresses, as they lie in memory, as (n, 16)."""
    words = np.empty((len(addresses), 4), np.uint32)
    words[:, 0], words[:, 1], words[:, 2] = np.frombuffer(MAPPED, np.uint32)
    words[:, 3] = addresses
    return words.view(np.uint8)


def _octets(addresses: NDArray[np.void]) -> Octets:
    return np.ascontiguousarray(addresses).view(np.uint8).reshape(-1, 16)


def _merge(one: _Carriers, other: _Carriers) -> _Carriers:
    """Return both in file order."""
    row = np.concatenate([one.row, other.row])
    order = np.argsort(row)
    return _Carriers(
        row[order],
        np.concatenate([one.udp, other.udp])[order],
        np.concatenate([one.source, other.source])[order],
        np.concatenate([one.destination, other.destination])[order],
        one.fragments + other.fragments,
    )
