"""The process of the pages, followed by another without a page being refused.

A successor answers before the one before it goes, at the same socket: that is held here, so that whoever asks waits
also while a process that died is started again.
"""

import os
from collections.abc import Sequence

from srs.capture.children import Child


class Pages:
    """The processes that answer, or are about to; the newest is the last."""

    def __init__(self, arguments: list[str], *, wanted: bool) -> None:
        self._arguments = arguments
        self._listener: int | None = None
        """Descriptor of the socket that pages are asked for at."""
        self.processes = [self._another()] if wanted else []

    def _another(self) -> Child:
        return Child("web", "srs.web.server", self._arguments, self._greet)

    def _greet(self, child: Child) -> None:
        child.send({"do": "listener"}, [] if self._listener is None else [self._listener])

    def succeed(self) -> None:
        """Have another process made, which takes over once it answers."""
        self.processes.append(self._another())

    def serving(self, child: Child, listener: Sequence[int], now: float) -> None:
        """A process answers, at this socket: the others go."""
        if self._listener is not None:
            os.close(self._listener)
        self._listener = listener[0]
        for other in self.processes:
            if other is not child:
                other.leave(now)

    def ended(self, child: Child) -> None:
        """A process is gone: the newest is started again, those before it are not."""
        if child in self.processes[:-1]:
            self.processes.remove(child)
