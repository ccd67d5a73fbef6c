"""The memory of a process that finalises one capture after the other."""

import ctypes
from typing import Final

KEPT: Final = 64 << 20
"""Octets that are freed and not given back to the system."""
LARGEST: Final = 32 << 20
"""Octets of an array that is taken from what was kept: glibc's limit, on 64 bits."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


def keep_freed() -> None:
    """Have the C library keep what is freed for what is asked for next (glibc, mallopt(3)).

    The system clears each page that it gives, and of a capture every array needs some: a tenth to a fifth of finalise.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)  # not one of its own for each thread, which all fill slowly
        mallopt(_M_MMAP_THRESHOLD, LARGEST)
        mallopt(_M_TRIM_THRESHOLD, KEPT)
