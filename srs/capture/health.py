"""What signalling knows of disk and capture workers, and whether another call can be kept. No I/O, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from srs.alarms import Alarms

SILENCE_S = 3.0
"""A disk trial or a worker that says nothing for so long hangs."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What one trial found."""

    free: int
    """Octets that this user may still write; 0 if the disk does not tell."""
    error: str | None
    """Why a file could not be written."""
    took_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a capture worker last said of itself; counters since its process began."""

    at: float
    """Monotonic time it came."""
    lag_s: float = 0.0
    """That its last turn took or came late: how long packets wait in the sockets beyond the usual."""
    packets: int = 0
    octets: int = 0
    dropped: int = 0
    """By the kernel."""
    unwritten: int = 0
    """Records that the disk did not take."""
    error: str | None = None
    """Why not, if that was since the report before."""


@dataclass
class Health:
    """Fed with trials of the disk and with reports; says why no new call is taken, and raises the alarms."""

    least_free: int
    """Octets: what is free below belongs to the calls under way."""
    longest_lag_s: float
    alarms: Alarms
    probe: Probe | None = None
    probed_at: float | None = None
    reports: dict[str, Report] = field(default_factory=dict)
    _failure: str | None = None
    """Why something was not written since the last trial that went well."""
    _failed_at: float = 0.0

    def write_failed(self, reason: str, now: float) -> None:
        """A capture under way could not be written."""
        self._failure, self._failed_at = reason, now
        self.watch(now)

    def on_probe(self, probe: Probe, begun: float, now: float) -> None:
        """A trial of the disk is over that was begun at `begun`."""
        self.probe, self.probed_at = probe, now
        if probe.error is None and begun > self._failed_at:
            self._failure = None
        self.watch(now)

    def on_report(self, worker: str, message: Mapping[str, Any], now: float) -> None:
        """A worker told its state."""
        names = ("lag_s", "packets", "octets", "dropped", "unwritten", "error")
        self.reports[worker] = replace(Report(now), **{name: message[name] for name in names})
        if message["error"]:
            self.write_failed(message["error"], now)
        self.watch(now)

    def storage(self, now: float) -> str | None:
        """What is wrong with the disk."""
        if self.probe is None or self.probed_at is None:
            return self._failure
        if now - self.probed_at > SILENCE_S:
            return "disk does not answer"
        if reason := self.probe.error or self._failure:
            return reason
        return "disk full" if self.probe.free < self.least_free else None

    def lag_s(self, now: float) -> float:
        """The longest that packets wait in sockets, of all workers."""
        return max((_lag(report, now) for report in self.reports.values()), default=0.0)

    def trouble(self, now: float) -> str | None:
        """Why another call could not be kept."""
        if self.probe is None:
            return self._failure or "disk not tried yet"
        if reason := self.storage(now):
            return reason
        lag_s = self.lag_s(now)
        return f"capture is {lag_s:.1f} s behind" if lag_s > self.longest_lag_s else None

    def watch(self, now: float) -> None:
        """Raise or clear the alarms. Some come with time alone: call this now and then."""
        storage, lag_s = self.storage(now), self.lag_s(now)
        self.alarms.set("storage", storage)
        self.alarms.set("lag", f"{lag_s:.1f} s behind" if lag_s > self.longest_lag_s else None)


def _lag(report: Report, now: float) -> float:
    silent = now - report.at
    return max(report.lag_s, silent if silent > SILENCE_S else 0.0)
