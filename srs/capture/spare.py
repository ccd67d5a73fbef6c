"""Port pairs that are bound before a call needs them, so that signalling can answer an INVITE without asking first.

Signalling is told their ports; it says with a call which of them that takes.
"""

import itertools
from collections.abc import Sequence
from typing import Final

from srs.capture.ports import NoPorts, Pair, PortRange

MOST: Final = 32
"""Pairs of an address: sixteen calls of two legs may come at once."""


class SparePairs:
    """Of each address that a call had pairs of."""

    def __init__(self, ports: PortRange) -> None:
        self._ports = ports
        self._numbers = itertools.count(1)
        self._bound: dict[str, dict[int, Pair]] = {}
        """By address and port."""

    def bind(self, address: str, count: int) -> list[Pair]:
        """Bind so many pairs for a call.

        Raises:
            NoPorts, OSError: see `PortRange.bind`; none is bound.
        """
        pairs: list[Pair] = []
        try:
            for _ in range(count):
                pairs.append(self._ports.bind(address, next(self._numbers)))  # noqa: PERF401 - those bound before a failure are closed
        except (NoPorts, OSError):
            for pair in pairs:
                pair.close()
            raise
        return pairs

    def take(self, address: str, ports: Sequence[int]) -> list[Pair]:
        """Return the spare pairs with these ports, which are a call's from now on."""
        return [self._bound[address].pop(port) for port in ports]

    def fill(self, address: str) -> list[int]:
        """Bind what is missing, as far as there are ports; return those that are new."""
        bound = self._bound.setdefault(address, {})
        new = []
        while len(bound) < MOST:
            try:
                (pair,) = self.bind(address, 1)
            except (NoPorts, OSError):  # a call that wants one will hear why there is none
                break
            bound[pair.port] = pair
            new.append(pair.port)
        return new

    def ports(self) -> dict[str, list[int]]:
        """Return the ports of all spare pairs, by address."""
        return {address: list(bound) for address, bound in self._bound.items()}

    def close(self) -> None:
        for bound in self._bound.values():
            for pair in bound.values():
                pair.close()
        self._bound.clear()
