"""A capture that grows, followed: its SIP is applied to the session as it comes, its datagrams are handed on."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from rtp import pcap
from rtp.pcap import Datagrams
from srs.archive.replay import find_messages
from srs.siprec import session as reducer
from srs.siprec.session import Session

AT_ONCE: Final = 4 << 20
"""Octets read together: of a long call a part, so that others get their turn."""


class Follower:
    """One capture, from its beginning on."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            OSError: it cannot be read; the call may have ended.
        """
        self.path = path
        self._file = path.open("rb", buffering=0)
        self._at = len(pcap.HEADER)
        self.session: Session | None = None
        """As the SIP so far has it; None: there is none yet."""

    def close(self) -> None:
        self._file.close()

    @property
    def is_over(self) -> bool:
        """Whether the capture has left its folder: the call has ended."""
        return not self.path.exists()

    def news(self) -> Iterator[Datagrams]:
        """Yield what was written since the last time; before that, what its SIP says is in `session`."""
        while data := os.pread(self._file.fileno(), AT_ONCE, self._at):
            found, end = pcap.growing(np.frombuffer(data, np.uint8))
            if end == 0:
                return
            self._at += end
            self._apply(found)
            yield found

    def _apply(self, datagrams: Datagrams) -> None:
        for time_ns, message in find_messages(datagrams)[0]:
            if self.session is None and message.cseq.method == "INVITE":
                self.session = reducer.new(message.call_id)
            if self.session is not None:
                self.session = reducer.apply(self.session, message, time_ns)
