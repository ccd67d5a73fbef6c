"""The processes that record run before all else on the host, if the system lets them.

A call passes from one to the other several times before its 200 goes out. Under the scheduler for everybody each time
may cost a slice of other work, 3 ms; a real-time process runs as soon as it has something to do.
"""

import contextlib
import os
from typing import Final

LOWEST: Final = 1
"""Of real-time priorities: none of the system's own work is to wait for us."""


def prefer_recording(*, children: bool = True) -> None:
    """Schedule this process in real time; needs root or `LimitRTPRIO=1`, otherwise all stays as it is.

    Args:
        children: whether threads and processes that begin afterwards are, too.
    """
    policy = os.SCHED_RR if children else os.SCHED_RR | os.SCHED_RESET_ON_FORK
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, policy, os.sched_param(LOWEST))
