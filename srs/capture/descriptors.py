"""Descriptors: as many as the system gives, and the table for them before a call needs it."""

import fcntl
import os
import resource
from typing import Final

ENOUGH: Final = 1 << 16
"""Places of the table, 8 octets each."""


def allow() -> None:
    """Let this process and its children have as many as the system gives: two sockets for each stream."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def make_room(descriptor: int) -> None:
    """Have the kernel make the table of this process large now.

    Where there are threads it waits some 15 ms each time the table becomes twice as large (an RCU grace period), and
    with it the call whose descriptor was one too many.

    Args:
        descriptor: any that is open.
    """
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.close(fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, min(most, ENOUGH) - 1))
