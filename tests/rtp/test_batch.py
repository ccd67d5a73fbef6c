"""Headers written for many slots at once, against one record written alone."""

import ctypes
import socket

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtp.batch import LARGEST, Batch
from rtp.pcap import record

SLOTS = 24
BATCHES = {4: Batch(4, SLOTS), 6: Batch(6, SLOTS)}  # used again and again: what was in them before must not show
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


def fill(batch, version, slot, payload, source, time_ns):
    """What the kernel does with one message: the addresses are those that the batch has put into struct mmsghdr."""
    message = batch.messages[slot]
    target, size = (ctypes.c_uint64 * 2).from_address(int(message["targets"]))
    assert size == LARGEST
    ctypes.memmove(target, payload, min(len(payload), size))
    batch.messages["length"][slot] = len(payload)
    family = FAMILIES[version].to_bytes(2, "little") + source[1].to_bytes(2, "big")
    packed = socket.inet_pton(FAMILIES[version], source[0])
    name = family + (packed + bytes(8) if version == 4 else bytes(4) + packed + bytes(4))
    assert len(name) == message["name_size"]
    ctypes.memmove(int(message["name"]), name, len(name))
    stamp = np.array(divmod(time_ns, 1_000_000_000), np.int64).tobytes()
    assert message["control_size"] == 16 + len(stamp)
    ctypes.memmove(int(message["control"]) + 16, stamp, len(stamp))


def address(version):
    packed = st.binary(min_size=4, max_size=4) if version == 4 else st.binary(min_size=16, max_size=16)
    return packed.map(lambda octets: socket.inet_ntop(FAMILIES[version], octets))


@st.composite
def runs(draw, version):
    """Datagrams for some ports: (destination, [(payload, source, time_ns)])."""
    name = st.tuples(address(version), st.integers(0, 0xFFFF))
    payload = st.binary(max_size=60) | st.integers(LARGEST - 3, LARGEST).map(bytes) | st.just(b"\xff" * 172)
    datagram = st.tuples(payload, name, st.integers(0, 2**32 * 10**9 - 1))
    return draw(st.lists(st.tuples(name, st.lists(datagram, min_size=1, max_size=6)), min_size=1, max_size=4))


@pytest.mark.parametrize("version", [4, 6])
@given(data=st.data())
def test_slots_become_the_records_that_one_would_write_alone(version, data):
    batch, written = BATCHES[version], data.draw(runs(version))
    expected = []
    for destination, datagrams in written:
        for payload, source, time_ns in datagrams:
            fill(batch, version, len(expected), payload, source, time_ns)
            expected.append(record(payload, source, destination, time_ns))
    packed = [socket.inet_pton(FAMILIES[version], destination[0]) for destination, _ in written]
    ports = [destination[1] for destination, _ in written]
    octets = batch.complete(packed, ports, [len(datagrams) for _, datagrams in written])
    assert [bytes(batch.record(slot)) for slot in range(len(expected))] == expected
    assert batch.pieces["size"][: len(expected)].tolist() == [len(one) for one in expected]
    assert octets == sum(len(payload) for _, datagrams in written for payload, _, _ in datagrams)
    batch.reset(len(expected))


@pytest.mark.parametrize("version", [4, 6])
def test_packets_like_those_before_them_get_their_own_ports_and_times(version):
    batch, source = Batch(version, 8), "192.0.2.1" if version == 4 else "2001:db8::1"
    other = "192.0.2.2" if version == 4 else "2001:db8::2"
    rounds = [(source, 5, 100, 8), (source, 6, 101, 8), (other, 6, 101, 8), (other, 6, 101, 9), (other, 6, 102, 9)]
    for number, (host, port, local, length) in enumerate(rounds):
        sent = [(bytes([number, slot]) * length, (host, port + slot), 10**9 * number + slot) for slot in range(8)]
        for slot, (payload, name, time_ns) in enumerate(sent):
            fill(batch, version, slot, payload, name, time_ns)
        packed = socket.inet_pton(FAMILIES[version], other)
        batch.complete([packed, packed], [local, local + 1], [3, 5])
        whose = [(other, local)] * 3 + [(other, local + 1)] * 5
        expected = [record(payload, name, to, at) for (payload, name, at), to in zip(sent, whose, strict=True)]
        assert [bytes(batch.record(slot)) for slot in range(8)] == expected
        batch.reset(8)


@pytest.mark.parametrize("version", [4, 6])
def test_pieces_point_at_the_records(version):
    batch = Batch(version, 3)
    fill(batch, version, 0, b"payload", ("192.0.2.1" if version == 4 else "2001:db8::1", 7), 5)
    batch.complete([bytes(4 if version == 4 else 16)], [9], [1])
    base, size = batch.pieces[0].tolist()
    assert ctypes.string_at(base, size) == bytes(batch.record(0))


def test_reset_makes_room_for_names_and_times_again():
    batch = Batch(4, 3)
    before = batch.messages.copy()
    batch.messages["name_size"][:2], batch.messages["control_size"][:2] = 3, 0
    batch.reset(2)
    assert (batch.messages == before).all()


def test_slots_do_not_overlap():
    batch = Batch(6, 5)
    base = batch.pieces["base"]
    assert (np.diff(base) >= LARGEST + 64).all()
