"""What signalling writes, a thread writes: whoever asks waits for it, so that no answer goes out before its message is
kept, but never for long.

A disk that hangs costs one wait of `PATIENCE_S`. Until it has done what it was at, all else fails at once.
"""

import errno
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

PATIENCE_S: Final = 0.5
"""T1 of RFC 3261 §17: a client that waits longer sends its INVITE again."""
Act = Callable[[], object]


class DiskHangs(OSError):
    """It did not answer in time."""

    def __init__(self) -> None:
        super().__init__(errno.ETIMEDOUT, "disk does not answer")


class Writer:
    """One thread, which does one thing after the other."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._asked: SimpleQueue[tuple[Act, bool]] = SimpleQueue()
        """And whether somebody waits for it."""
        self._told: SimpleQueue[Exception | None] = SimpleQueue()
        """What became of that."""
        self._hangs = False
        """What was waited for last is not done yet."""
        threading.Thread(target=self._run, name="writer", daemon=True).start()

    def do(self, act: Act) -> None:
        """Have something done; when this returns, it is.

        Raises:
            DiskHangs: not in time, so it is done when the disk answers; or it was not begun, because the disk has not.
            OSError: it could not be done.
        """
        if self._hangs:
            if self._told.empty():
                raise DiskHangs
            self._told.get()  # of what was given up on
        self._asked.put((act, True))
        try:
            error = self._told.get(timeout=self._patience_s)
        except Empty:
            self._hangs = True
            raise DiskHangs from None
        self._hangs = False
        if error is not None:
            raise error

    @property
    def behind(self) -> int:
        """How much was asked for and is not begun."""
        return self._asked.qsize()

    def later(self, act: Act) -> None:
        """Have something done behind all that was asked for; nobody hears when it fails."""
        self._asked.put((act, False))

    def _run(self) -> None:
        while True:
            act, awaited = self._asked.get()
            error = None
            try:
                act()
            except Exception as failure:  # noqa: BLE001 - raised again where it was asked for
                error = failure
            if awaited:
                self._told.put(error)
