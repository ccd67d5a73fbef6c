"""How much later the packets of some senders come than those of others, by their sender reports (RFC 3550 §6.4.1).

A report names one moment twice: by the sender's clock and by the timestamp of its RTP. Senders that share a clock can
so be brought together, whatever way each takes. Without reports all that is known is when packets came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
LEAST_REPORTS: Final = 2
"""That must agree: a single one may be anything."""
SPREAD_NS: Final = 10_000_000
"""By which half of the reports of a sender may be away from their median: some name the last packet, not the moment."""
LEAST_NS: Final = 10_000_000
"""What is less is left as it came: no one hears it, and reports are no better."""
MOST_NS: Final = 500_000_000
"""By which one sender may be behind another: more is no way of a network, but a clock that is wrong."""
BESIDE_NS: Final = 10_000_000_000
"""Before the first and behind the last report of another sender, in which its clock is still known."""


@dataclass(frozen=True, slots=True)
class Reports:
    """What one SSRC reported, in order of its clock: one item a report."""

    clock_ns: Integers
    """Moments by the sender's clock, of any epoch."""
    place_ns: Integers
    """Where these moments stand by the arrival of the packets around them, UTC."""


def behind(senders: Sequence[Reports]) -> list[int]:
    """Return by how many nanoseconds each of some senders with one clock comes later than the quickest; 0: not known.

    The clocks of sender and recorder may drift apart: delays are compared only where both senders report.
    """
    known = [index for index, each in enumerate(senders) if len(each.clock_ns) >= LEAST_REPORTS]
    if len(known) < 2:
        return [0] * len(senders)
    most = max(known, key=lambda index: len(senders[index].clock_ns))
    delays = {index: delay for index in known if (delay := _delay(senders[index], senders[most])) is not None}
    least = min(delays.values(), default=0)
    later = [delays.get(index, least) - least for index in range(len(senders))]
    return [by if LEAST_NS <= by <= MOST_NS else 0 for by in later]


def _delay(sender: Reports, other: Reports) -> int | None:
    """Return how much longer the way of a sender takes than that of another; None: its reports do not agree."""
    epoch, came = other.clock_ns[0], other.place_ns[0]
    near = (sender.clock_ns >= epoch - BESIDE_NS) & (sender.clock_ns <= other.clock_ns[-1] + BESIDE_NS)
    clock = sender.clock_ns[near] - epoch
    if len(clock) < LEAST_REPORTS:
        return None
    theirs = np.interp(clock, other.clock_ns - epoch, other.place_ns - other.clock_ns - (came - epoch))
    longer = sender.place_ns[near] - came - clock - theirs
    delay = float(np.median(longer))
    return round(delay) if np.median(np.abs(longer - delay)) <= SPREAD_NS else None
