"""Session timers (RFC 4028), the server's part: what is agreed in a 2xx, when to refresh, when the client is gone.

The client refreshes unless it asks us to or cannot: a recorder sends as little as it can within a dialog.
"""

import re
from dataclasses import dataclass

from srs.sip import parameters
from srs.sip.errors import SipError
from srs.sip.message import Request, Response

LEAST_S = 90
"""Our Min-SE; the floor of §4."""
GRACE_S = 32.0
"""A session ends so long before its expiry, or a third of it where that is less (§10)."""
_SECONDS = re.compile(r"\s*([0-9]{1,9})\s*(;.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SessionTimer:
    """What was agreed on, counted from the newest 2xx."""

    interval_s: int
    ours: bool
    """Whether we refresh."""
    told: bool
    """Whether the client knows of session timers, so that the 2xx says `Require: timer`."""

    @property
    def refresh_s(self) -> float:
        """After so many seconds the refresher refreshes (§7.2)."""
        return self.interval_s / 2

    @property
    def end_s(self) -> float:
        """After so many seconds without a refresh the session is ended with BYE (§10)."""
        return self.interval_s - min(GRACE_S, self.interval_s / 3)

    @property
    def header(self) -> str:
        """The value of Session-Expires in the 2xx; there `uas` is the one who answers: we."""
        return f"{self.interval_s};refresher={'uas' if self.ours else 'uac'}"

    def put(self, response: Response) -> None:
        """Tell the client in a 2xx to INVITE or UPDATE (§9)."""
        response.headers.set("Session-Expires", self.header)
        if self.told:
            response.headers.set("Require", "timer")


def negotiate(request: Request) -> SessionTimer | None:
    """What to agree on when an INVITE or UPDATE is accepted; None: the client asks for no timer.

    A Session-Expires that cannot be read counts as none.

    Raises:
        SipError: 422, the interval is too short (§8.1).
    """
    found = _SECONDS.fullmatch(request.headers.get("Session-Expires") or "")
    if found is None:
        return None
    seconds = int(found[1])
    told = "timer" in {tag.lower() for tag in (*request.list("Supported"), *request.list("Require"))}
    if seconds < LEAST_S and told:
        raise SipError(422, "Session Interval Too Small", headers=(("Min-SE", str(LEAST_S)),))
    wanted = (parameters.parse(found[2] or "").get("refresher") or "uac").lower()
    return SessionTimer(max(seconds, LEAST_S), ours=not told or wanted == "uas", told=told)


def renewed(response: Response) -> int | None:
    """The seconds that the 2xx to a refresh of ours agrees on; None: the client runs no timer any more (§7.2)."""
    found = _SECONDS.fullmatch(response.headers.get("Session-Expires") or "")
    return max(int(found[1]), LEAST_S) if found else None
