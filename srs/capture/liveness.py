"""Is the client of a session still there? Session timers (RFC 4028), and for clients without them a question.

A session is alive when its capture grows: RTP or SIP came. Where nothing comes for long the client is asked with
OPTIONS; only one that does not know the dialog, or does not answer at all, is gone. Some answer 405, and are there.
"""

from dataclasses import dataclass, replace
from enum import Enum

from srs.sip.message import Response
from srs.sip.session_timer import SessionTimer, renewed

GONE = frozenset({404, 408, 410, 481, 482, 483, 484, 485, 604})
"""Answers that say the dialog is no more (RFC 5057 §5.1); 482 to 485 and 604: nobody is at its target."""


class Move(Enum):
    WAIT = "nothing is due"
    REFRESH = "refresh the session"
    ASK = "ask whether the client is there"
    EXPIRED = "the client did not refresh the session"


@dataclass(frozen=True, slots=True)
class Liveness:
    """What is known of one session. Times are in seconds of a monotonic clock, sizes in octets of the capture."""

    since: float
    """When the session was agreed on or refreshed last."""
    grown: float
    """When the capture was found grown last, or the client answered."""
    size: int = 0
    timer: SessionTimer | None = None
    asked: bool = False
    """A request of ours waits for its answer."""

    def agreed(self, timer: SessionTimer | None, now: float) -> "Liveness":
        """Our 2xx to an INVITE or UPDATE went out; in a refresh without Session-Expires the timer ends."""
        return replace(self, since=now, grown=now, timer=timer)

    def looked(self, size: int, now: float, silence_s: float) -> "tuple[Liveness, Move]":
        """What is due, with the capture as large as `size`.

        Args:
            silence_s: after so long without anything from it the client is asked; 0: never.
        """
        state = replace(self, size=size, grown=now) if size != self.size else self
        move = _due(state, now, silence_s)
        return (replace(state, asked=True) if move in (Move.REFRESH, Move.ASK) else state), move

    def seen(self, now: float) -> "Liveness":
        """The client is taken to be there."""
        return replace(self, grown=now, since=now, asked=False)

    def answered(self, response: Response | None, size: int, now: float) -> "tuple[Liveness, bool]":
        """After the final answer to a request of ours, None for no answer; and whether the client is gone.

        While sound comes in, no answer proves nothing: some clients answer no requests of a recorder (SRS-41).
        """
        state = replace(self, asked=False)
        if response is None:
            return self.seen(now), self.size == size
        if response.code in GONE and response.code != 408:
            return state, True
        seconds = renewed(response) if 200 <= response.code < 300 and response.cseq.method == "UPDATE" else None
        timer = replace(self.timer, interval_s=seconds) if self.timer and seconds else self.timer
        return replace(
            state, grown=now, since=now if self.timer and self.timer.ours else self.since, timer=timer
        ), False


def _due(state: Liveness, now: float, silence_s: float) -> Move:
    timer, age = state.timer, now - state.since
    if timer and not timer.ours and age >= timer.end_s:
        return Move.EXPIRED
    if state.asked:
        return Move.WAIT
    if timer and timer.ours and age >= timer.refresh_s:
        return Move.REFRESH
    if silence_s and now - state.grown >= silence_s:
        return Move.ASK
    return Move.WAIT
