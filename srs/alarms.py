"""What is wrong now and wants somebody's attention: logged once when it begins and once when it is over."""

from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()

WHAT_TO_DO = {
    "storage": "make room or mend the disk of data_dir; new calls are refused until it can be written again",
    "lag": "the disk or the processors are too slow: fewer calls, a faster disk, more [media] workers",
    "no-audio": "nothing comes for this call: look at firewalls and at the address in the answer (srs doctor)",
    "one-way-audio": "one party of this call is not heard: look at the client's forking of that leg",
    "notice": "callers are not told that they are recorded: play the announcement; srs notices lists the calls",
    "archive": "mend [database] or [store]; calls are recorded meanwhile and their captures wait",
    "node": "give each recorder its own [node] id; until then its captures wait, and calls are recorded",
    "handoff": "see srs tasks --failed, mend what they say, then srs tasks retry ID or srs tasks cancel ID",
}
"""Every alarm there is, and what it asks of whoever reads it."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One that is raised."""

    name: str
    call: str | None
    reason: str

    @property
    def do(self) -> str:
        return WHAT_TO_DO[self.name]


@dataclass
class Alarms:
    """The alarms of one process. An alarm is known by its name and its call, if it is one of a call."""

    _active: dict[tuple[str, str | None], str] = field(default_factory=dict)

    def set(self, name: str, reason: str | None, *, call: str | None = None) -> None:
        """Raise an alarm for a reason, or clear it with None; what is so already says nothing again."""
        key = name, call
        if reason is not None and key not in self._active:
            log.error("alarm", alarm=name, state="raised", call=call, reason=reason, do=WHAT_TO_DO[name])
            self._active[key] = reason
        elif reason is None and (was := self._active.pop(key, None)) is not None:
            log.info("alarm", alarm=name, state="cleared", call=call, was=was)

    def forget(self, call: str) -> None:
        """A call is over, and its alarms with it."""
        for name, of in list(self._active):
            if of == call:
                self.set(name, None, call=call)

    def all(self) -> list[Alarm]:
        """Those that are raised."""
        return [Alarm(*key, reason) for key, reason in list(self._active.items())]

    def active(self) -> dict[str, int]:
        """How many of each are raised."""
        names = [name for name, _ in self._active]
        return {name: names.count(name) for name in WHAT_TO_DO}
