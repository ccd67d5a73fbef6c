"""The heart of the recorder: what waits in many sockets goes into capture files, for two system calls or so a port."""

import ctypes
import errno
import os
import socket
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtp.append import append
from rtp.batch import Batch
from rtp.port import Port

MOST_SLOTS: Final = 1024
"""Datagrams in a batch: what one `recvmmsg` and one `writev` take (UIO_MAXIOV), and a cache holds between them."""
_FLAGS: Final = socket.MSG_DONTWAIT | socket.MSG_TRUNC
"""The latter has the kernel tell the whole length of a datagram that it cuts."""

_WRITTEN_SINCE: Final = 4 << 20
"""Octets that others may have appended to a capture since its process died."""

_libc = ctypes.CDLL(None, use_errno=True)
_recvmmsg = _libc.recvmmsg  # no argtypes: their checks cost half a call; pointers are c_void_p, all else is int
_writev = _libc.writev
_writev.restype = ctypes.c_ssize_t


@dataclass(slots=True, eq=False)
class Tap:
    """Ports that are recorded into one capture."""

    capture: int
    """Descriptor of the file, O_APPEND: others may append to it too."""
    ports: list[Port] = field(default_factory=list)
    pauses: list[tuple[int, int]] = field(default_factory=list)
    """From when to before when, UTC in nanoseconds, nothing that came is kept."""


_NOBODY: Final = Tap(-1)


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with one tap while the others went on."""

    tap: Tap
    error: OSError
    port: Port | None = None
    """That could not be read; None: the capture could not be written."""
    records: int = 0
    """Datagrams that are missing in the capture therefore."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The last records of a port where some are wanted."""

    port: Port
    packets: int
    """That have come there in all, up to the last of these."""
    records: list[bytes]


@dataclass(frozen=True, slots=True)
class Drained:
    """What one drain took from the sockets, and what it could not keep."""

    packets: int
    octets: int
    """Of the datagrams' payloads."""
    failures: tuple[Failure, ...]
    shown: tuple[Shown, ...] = ()


class Receiver:
    """Takes what waits in sockets of `open_port` and appends it to captures, through batches whose memory it keeps."""

    def __init__(self, slots: int = MOST_SLOTS, memory: Mapping[int, memoryview] | None = None) -> None:
        """
        Args:
            slots: datagrams in a batch, at most `MOST_SLOTS`.
            memory: for the batches of IP version 4 and 6, see `Batch`; a successor that gets it calls `recover` first.
        """
        self._slots = slots
        self._memory = memory or {}
        self._intakes: dict[int, _Intake] = {}

    def recover(self, taps: Iterable[Tap]) -> Drained:
        """Write out what a process that died has received into this memory, once: not what is in the captures already.

        Args:
            taps: all that it had; their captures can be read too (O_RDWR).
        """
        owners = {port.number: (tap, port) for tap in taps for port in tap.ports}
        for version in self._memory:
            self._intake(version).recover(owners)
        return self._finish()

    def drain(self, taps: Iterable[Tap]) -> Drained:
        """Record what waits now. It never blocks, and a port that is flooded gives a few batches at most."""
        for tap in taps:
            for port in tap.ports:
                intake = self._intakes.get(port.version) or self._intake(port.version)
                intake.take(tap, port)
        return self._finish()

    def _finish(self) -> Drained:
        parts = [intake.finish() for intake in self._intakes.values()]
        failures = tuple(failure for part in parts for failure in part.failures)
        shown = tuple(each for part in parts for each in part.shown)
        return Drained(sum(part.packets for part in parts), sum(part.octets for part in parts), failures, shown)

    def _intake(self, version: int) -> "_Intake":
        self._intakes[version] = _Intake(Batch(version, self._slots, self._memory.get(version)))
        return self._intakes[version]


class _Intake:
    """The way of one version of IP from sockets into captures."""

    MOST_ROUNDS = 8
    """Batches that one port may fill in a drain: more than its socket holds, unless it is filled at the same time."""

    def __init__(self, batch: Batch) -> None:
        self._batch, self._slots = batch, batch.slots
        self._owners = batch.owners
        self._messages = _pointers(batch.messages)
        self._pieces = _pointers(batch.pieces)
        self._filled = self._packets = self._octets = 0
        self._taps: list[Tap] = []
        self._ports: list[Port] = []
        self._counts: list[int] = []
        """Whose the datagrams in the slots are, and how many in a row. No list of tuples: those would call the
        garbage collector ever again."""
        self._wanted: list[tuple[Port, int, range]] = []
        """Ports of which records are to be shown, packets there so far, and the slots."""
        self._shown: list[Shown] = []
        self._failures: list[Failure] = []

    def recover(self, owners: Mapping[int, tuple[Tap, Port]]) -> None:
        """Write what the batch has from a process that died. What belongs to no port any more is left out."""
        runs = [(owners.get(number), count) for number, _, count in self._batch.left()]
        known = next((owner for owner, _ in runs if owner), None)
        if known is not None:
            for owner, count in runs:
                self._taps.append(owner[0] if owner else _NOBODY)
                self._ports.append((owner or known)[1])
                self._counts.append(count)
            self._filled = sum(self._counts)
            for tap, first, end in self._complete():
                if tap is not _NOBODY:
                    slots = self._kept(tap, first, end)
                    self._append_singly(tap, slots[self._written(tap, slots) :], 0)
            self._packets += self._filled
        self._batch.reset(self._batch.slots)
        self._clear()

    def _written(self, tap: Tap, slots: list[int]) -> int:
        """Return how many of some slots are in the capture: records are appended in order, so the first ones."""
        size = os.fstat(tap.capture).st_size
        look = _WRITTEN_SINCE + int(self._batch.pieces["size"][slots].sum())
        tail = os.pread(tap.capture, look, max(0, size - look))
        at = 0
        for count, slot in enumerate(slots):
            record = self._batch.record(slot).tobytes()
            at = tail.find(record, at)
            if at < 0:
                return count
            at += len(record)
        return len(slots)

    def _kept(self, tap: Tap, first: int, end: int) -> list[int]:
        """Return the slots that did not come in a pause."""
        came = self._batch.time_ns(slice(first, end))
        kept = np.ones(len(came), bool)
        for since, until in tap.pauses:
            kept &= (came < since) | (came >= until)
        slots: list[int] = (first + np.flatnonzero(kept)).tolist()
        return slots

    def take(self, tap: Tap, port: Port) -> None:
        """Receive what waits in a port; as often as that fills the batch, write it out and go on."""
        for _ in range(self.MOST_ROUNDS):
            filled = self._filled
            free = self._slots - filled
            self._owners[filled] = port.number
            count = _recvmmsg(port.socket.fileno(), self._messages[filled], free, _FLAGS, None)
            if count > 0:
                port.packets += count
                self._filled = filled + count
                self._taps.append(tap)
                self._ports.append(port)
                self._counts.append(count)
                if port.wanted:
                    self._show(port, count)
            elif (code := ctypes.get_errno()) != errno.EAGAIN:
                self._failures.append(Failure(tap, _error(code), port))
            if count < free:
                return
            self._write()

    def _show(self, port: Port, count: int) -> None:
        """Note that the last of `count` slots filled just now are wanted: they are not complete yet."""
        self._wanted.append((port, port.packets, range(self._filled - min(count, port.wanted), self._filled)))

    def finish(self) -> Drained:
        """Write the rest, and tell what there was since the last time."""
        self._write()
        drained = Drained(self._packets, self._octets, tuple(self._failures), tuple(self._shown))
        self._packets = self._octets = 0
        self._failures.clear()
        self._shown.clear()
        return drained

    def _write(self) -> None:
        """Append what is in the batch to its captures, and empty it."""
        if self._filled == 0:
            return
        spans = self._complete()
        octets = np.add.reduceat(self._batch.pieces["size"][: self._filled], [first for _, first, _ in spans]).tolist()
        for (tap, first, end), expected in zip(spans, octets, strict=True):
            if tap.pauses and len(kept := self._kept(tap, first, end)) < end - first:
                self._append_singly(tap, kept, 0)
                continue
            written = _writev(tap.capture, self._pieces[first], end - first)
            if written != expected:
                self._append_singly(tap, list(range(first, end)), max(written, 0))
        for port, packets, slots in self._wanted:
            self._shown.append(Shown(port, packets, [bytes(self._batch.record(slot)) for slot in slots]))
        self._wanted.clear()
        self._batch.reset(self._filled)
        self._packets += self._filled
        self._clear()

    def _complete(self) -> list[tuple[Tap, int, int]]:
        """Complete the records; return each tap with its first slot and that behind its last."""
        packed = [port.packed for port in self._ports]
        self._octets += self._batch.complete(packed, [port.port for port in self._ports], self._counts)
        return list(self._spans())

    def _clear(self) -> None:
        self._filled = 0
        for whose in (self._taps, self._ports, self._counts):
            whose.clear()

    def _spans(self) -> Iterator[tuple[Tap, int, int]]:
        """Yield each tap with its first slot and that behind its last."""
        first = end = 0
        for index, (tap, count) in enumerate(zip(self._taps, self._counts, strict=True), start=1):
            end += count
            if index == len(self._taps) or self._taps[index] is not tap:
                yield tap, first, end
                first = end

    def _append_singly(self, tap: Tap, slots: list[int], written: int) -> None:
        """Go on where a `writev` of some slots stopped after `written` octets, until one finds no room either."""
        ends = np.cumsum(self._batch.pieces["size"][slots]).tolist()
        whole = bisect_right(ends, written)
        part = written - (ends[whole - 1] if whole else 0)
        for index in range(whole, len(slots)):
            try:
                append(tap.capture, self._batch.record(slots[index]), part)
            except OSError as error:
                self._failures.append(Failure(tap, error, records=len(slots) - index))
                return
            part = 0


def _pointers(items: NDArray[np.void]) -> list[ctypes.c_void_p]:
    return [ctypes.c_void_p(items.ctypes.data + index * items.itemsize) for index in range(len(items))]


def _error(code: int) -> OSError:
    return OSError(code, os.strerror(code))
