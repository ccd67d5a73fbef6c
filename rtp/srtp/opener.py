"""The SRTP of one m-line, packet by packet in order of arrival: which key, which rollover counter, seen before?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from rtp.srtp.keys import Epoch, Key
from rtp.srtp.transforms import Transform, transform

WINDOW: Final = 64
"""Packets behind the newest within which a second copy is the network's doing; beyond, a replay (RFC 3711 §3.3.2)."""
ROLLOVERS: Final = 1024
"""Rollover counters tried: those of two weeks of packets of 20 ms."""
FAILURES: Final = 3
"""Packets of a source in a row that do not open before other counters are tried on one that opened before."""
SEARCHES: Final = 8
"""Times that all counters are tried for a source with a key."""
MOST_SEARCHES: Final = 128
"""The same for an m-line, so that forged packets cannot keep a recorder busy."""
_TURN: Final = 1 << 16


@dataclass(slots=True)
class _Line:
    """One source under one key."""

    highest: int | None = None
    """Index of the newest packet; None: none has opened."""
    seen: set[int] = field(default_factory=set)
    failures: int = 0
    searches: int = 0


class Opener:
    """Opens what one sender protects; `forged` and `replayed` count what it did not take."""

    def __init__(self, epochs: Sequence[Epoch]) -> None:
        """
        Args:
            epochs: the keys agreed on, in order of time.
        """
        self._epochs = epochs
        self._transforms: dict[Key, Transform] = {}
        self._lines: dict[tuple[int, Key], _Line] = {}
        self._newest: dict[int, int] = {}
        """SSRC to the index that opened last."""
        self._reports: dict[tuple[bytes, Key], set[int]] = {}
        """SSRC and key to the indices of the SRTCP packets that opened."""
        self._searches = 0
        self.opened = self.forged = self.replayed = 0

    def open(self, packet: bytes, header: int, time_ns: int) -> bytes | None:
        """Return an SRTP packet as RTP.

        Under way when keys change are packets with the old one or already the new one, so neighbours in time are tried.

        Args:
            header: octets before the payload.
            time_ns: of arrival, UTC; not before that of the packet given before.

        Returns:
            None: it is made with none of the keys ("forged", which a wrong key looks like too), or replayed.
        """
        ssrc, sequence = int.from_bytes(packet[8:12]), int.from_bytes(packet[2:4])
        for key, rollover in self._guesses(ssrc, sequence, time_ns):
            index = rollover * _TURN + sequence
            payload = self._transform(key).open(packet, header, index)
            if payload is not None:
                return packet[:header] + payload if self._is_new(ssrc, key, index) else None
        for key in self._agreed(time_ns):
            self._line(ssrc, key).failures += 1
        self.forged += 1
        return None

    def is_plain(self, time_ns: int) -> bool:
        """Tell whether at that time plain RTP was agreed on."""
        return not self._agreed(time_ns)

    def open_control(self, packet: bytes, time_ns: int) -> bytes | None:
        """Return an SRTCP packet as RTCP; None: it is made with none of the keys, or came before (RFC 3711 §3.3.2)."""
        for key in self._keys(time_ns):
            if opened := self._transform(key).open_control(packet):
                index, octets = opened
                return octets if self._is_first(packet[4:8], key, index) else None
        self.forged += 1
        return None

    def _agreed(self, time_ns: int) -> tuple[Key, ...]:
        current = self._epochs[0][1]
        for since, keys in self._epochs:
            if since <= time_ns:
                current = keys
        return current

    def _keys(self, time_ns: int) -> Iterator[Key]:
        """Yield the keys of the time, then the newest others first."""
        current = self._agreed(time_ns)
        yield from current
        others = (key for _, keys in reversed(self._epochs) for key in keys)
        yield from (key for key in dict.fromkeys(others) if key not in current)

    def _guesses(self, ssrc: int, sequence: int, time_ns: int) -> Iterator[tuple[Key, int]]:
        """Yield keys and rollover counters that a packet may have, the likeliest first."""
        for key in self._keys(time_ns):
            yield from ((key, rollover) for rollover in self._likely(ssrc, key, sequence))
        for key in self._agreed(time_ns):
            line = self._line(ssrc, key)
            lost = line.highest is None or line.failures >= FAILURES
            if lost and line.searches < SEARCHES and self._searches < MOST_SEARCHES:
                line.searches, self._searches = line.searches + 1, self._searches + 1
                yield from ((key, rollover) for rollover in range(ROLLOVERS))

    def _likely(self, ssrc: int, key: Key, sequence: int) -> Iterator[int]:
        """Yield where the source goes on; with a new key: where it went on with another, else 0 (RFC 4568 §6.4)."""
        highest = self._line(ssrc, key).highest
        if highest is not None:
            yield from _near(highest, sequence)
            return
        if ssrc in self._newest:
            yield from _near(self._newest[ssrc], sequence)
        yield 0

    def _line(self, ssrc: int, key: Key) -> _Line:
        line = self._lines.get((ssrc, key))
        if line is None:
            line = self._lines[ssrc, key] = _Line()
        return line

    def _transform(self, key: Key) -> Transform:
        known = self._transforms.get(key)
        if known is None:
            known = self._transforms[key] = transform(key)
        return known

    def _is_first(self, ssrc: bytes, key: Key, index: int) -> bool:
        """Tell whether a report did not come before: of few packets all can be remembered."""
        seen = self._reports.setdefault((ssrc, key), set())
        self.replayed += index in seen
        first = index not in seen
        seen.add(index)
        return first

    def _is_new(self, ssrc: int, key: Key, index: int) -> bool:
        line = self._line(ssrc, key)
        line.failures, self._newest[ssrc] = 0, index
        highest = index if line.highest is None else line.highest
        if index in line.seen and index < highest - WINDOW:
            self.replayed += 1
            return False
        line.highest = max(highest, index)
        line.seen.add(index)
        self.opened += 1
        return True


def _near(highest: int, sequence: int) -> Iterator[int]:
    """Yield the counter that brings a sequence number nearest to the newest index (RFC 3711 §3.3.1)."""
    nearest = (highest - sequence + _TURN // 2) // _TURN
    if nearest >= 0:
        yield nearest
