"""Which datagrams of a capture came for which m-line."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rtp.ip import mapped
from rtp.pcap import Datagrams
from srs.siprec.session import Stream

Rows = NDArray[np.int64]


def demultiplex(datagrams: Datagrams, streams: Sequence[Stream], start_ns: int) -> list[Rows]:
    """Return the datagrams since `start_ns` that came for each stream.

    They came to its port, and to its address if any came to exactly that.

    The address in an answer may be a public one that never appears in a packet, so the port alone must do. Of several
    streams that had the same port one after the other, each has what came in its time.
    """
    found = []
    for stream in streams:
        assert stream.local is not None
        rows = np.flatnonzero(datagrams.destination_port == stream.local[1])
        exact = rows[_are(datagrams.destination[rows], stream.local[0])]
        rows = exact if len(exact) else rows
        later = [other for other in streams if other.local == stream.local and _since(other) > _since(stream)]
        earlier = [other for other in streams if other.local == stream.local and _since(other) < _since(stream)]
        from_ns = _since(stream) if earlier else start_ns
        to_ns = min(map(_since, later), default=np.iinfo(np.int64).max)
        found.append(rows[(datagrams.time_ns[rows] >= from_ns) & (datagrams.time_ns[rows] < to_ns)])
    return found


def _are(addresses: NDArray[np.uint8], address: str) -> NDArray[np.bool_]:
    """Tell which of some addresses, (n, 16), are this one."""
    halves, wanted = addresses.view(np.uint64), np.frombuffer(mapped(address), np.uint64)
    same: NDArray[np.bool_] = (halves[:, 0] == wanted[0]) & (halves[:, 1] == wanted[1])
    return same


def _since(stream: Stream) -> int:
    """Return when a stream was first agreed on, UTC in nanoseconds."""
    return min((since for since, _ in stream.codecs), default=0)
