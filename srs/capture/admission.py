"""May this INVITE be recorded, and can it be kept? Decided before anything is opened, from what is known already."""

import ipaddress
from functools import lru_cache

from srs.capture.health import Health
from srs.config import Settings

RETRY_AFTER_S = 10
BURST_S = 2.0
"""Seconds' worth of calls that a source may begin at once."""
MOST_SOURCES = 4096


class Refusal(Exception):
    """Why a call is not taken."""

    def __init__(self, status: int, reason: str, retry_after_s: int | None = None) -> None:
        super().__init__(status, reason, retry_after_s)
        self.status, self.reason, self.retry_after_s = status, reason, retry_after_s

    def __str__(self) -> str:
        return f"{self.status} {self.reason}"


class Admission:
    """The limits of the settings. Time is monotonic seconds."""

    def __init__(self, settings: Settings, health: Health) -> None:
        self._allow = settings.sip.allow
        self._most_calls = settings.admission.calls
        self._rates = Rates(settings.admission.invites_per_s)
        self._health = health

    def check(self, source: str, calls: int, now: float) -> None:
        """
        Args:
            source: address of the client.
            calls: under way.

        Raises:
            Refusal: another call from there is not taken now.
        """
        check_source(source, self._allow)
        if not self._rates.take(source, now):
            raise Refusal(503, f"too many calls a second from {source}", RETRY_AFTER_S)
        if self._most_calls is not None and calls >= self._most_calls:
            raise Refusal(503, f"{calls} calls at once is the most", RETRY_AFTER_S)
        if trouble := self._health.trouble(now):
            raise Refusal(503, f"cannot record: {trouble}", RETRY_AFTER_S)


class Rates:
    """A token bucket for each source."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._most = max(1.0, per_s * BURST_S)
        self._buckets: dict[str, tuple[float, float]] = {}
        """Tokens, and when they were counted; the source heard last stands last."""

    def take(self, source: str, now: float) -> bool:
        """Take a token, if there is one."""
        tokens, at = self._buckets.pop(source, (self._most, now))
        tokens = min(self._most, tokens + (now - at) * self._per_s)
        taken = tokens >= 1.0
        self._buckets[source] = (tokens - taken, now)
        if len(self._buckets) > MOST_SOURCES:
            del self._buckets[next(iter(self._buckets))]
        return taken


def check_source(address: str, allow: list[str]) -> None:
    """
    Raises:
        Refusal: `allow` is not empty and has no network with this address.
    """
    if allow and not any(_within(address, network) for network in allow):
        raise Refusal(403, f"{address} is not in [sip] allow")


@lru_cache(maxsize=4096)
def _within(address: str, network: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]) in ipaddress.ip_network(network)
