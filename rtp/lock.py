"""Which packets of an SSRC come from its sender, and which from strangers.

Media may come from elsewhere than the SDP says, so the first sender of an SSRC is believed, until it has been silent
for a while or a new offer says that it may have moved.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SILENCE_NS = 2_000_000_000
"""After which another sender may take over."""


def trusted(sender: NDArray[np.int64], time_ns: NDArray[np.int64], releases_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell the packets of the sender that holds the SSRC from those of strangers.

    Args:
        sender: a number for each address and port, in order of arrival.
        time_ns: of arrival.
        releases_ns: when another sender may take over at once, ascending.
    """
    believed = np.ones(len(sender), bool)
    if len(sender) == 0 or (sender == sender[0]).all():
        return believed
    edges = np.concatenate([[0], np.flatnonzero(np.diff(sender)) + 1, [len(sender)]]).tolist()
    holder, free_ns = int(sender[0]), 0
    for first, end in pairwise(edges):
        if sender[first] != holder:
            taken = first + int(np.searchsorted(time_ns[first:end], free_ns))
            believed[first:taken] = False
            if taken == end:
                continue
            holder = int(sender[first])
        free_ns = _free(int(time_ns[end - 1]), releases_ns)
    return believed


def _free(last_ns: int, releases_ns: NDArray[np.int64]) -> int:
    """Return when another sender may take over from one that was last heard at `last_ns`."""
    after = releases_ns[np.searchsorted(releases_ns, last_ns, "right") :]
    return int(min([last_ns + SILENCE_NS, *after[:1]]))
