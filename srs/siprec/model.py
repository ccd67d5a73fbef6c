"""The metadata model (RFC 7865 §6): the call that is recorded, who takes part in it, and who speaks on which stream."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?\s*(?:([Zz])|([+-])(\d\d):?(\d\d))", re.ASCII
)
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Instant:
    """A time as the client wrote it."""

    text: str
    time_ns: int | None
    """UTC; None: not understood, or there is no zone to tell which time is meant."""

    @classmethod
    def parse(cls, written: str) -> "Instant":
        """Read RFC 3339 with the liberties that are taken: `+0000`, a blank for the T, small letters."""
        found = _TIME.fullmatch(written)
        return cls(written, _time_ns(found) if found else None)


@dataclass(frozen=True, slots=True)
class NameId:
    """One address and name of a participant; what is not given is ""."""

    aor: str
    name: str


@dataclass(frozen=True, slots=True)
class Participant:
    """RFC 7865 §6.5."""

    id: str
    names: tuple[NameId, ...] = ()

    @property
    def aor(self) -> str | None:
        """The first address of record; what is no URI stays as it came."""
        return next((each.aor for each in self.names if each.aor), None)

    @property
    def name(self) -> str | None:
        return next((each.name for each in self.names if each.name), None)


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """RFC 7865 §6.7; `label` is that of an m-line, "" where there is none."""

    id: str
    label: str = ""
    session_id: str = ""
    mode: str = ""
    """"mixed" or "separate" in the drafts."""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A communication session: the call that is recorded (RFC 7865 §6.3)."""

    id: str
    sip_session_ids: tuple[str, ...] = ()
    group: str = ""
    reasons: tuple[str, ...] = ()
    start: Instant | None = None
    stop: Instant | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """A participant in a communication session (RFC 7865 §6.6)."""

    participant_id: str
    session_id: str
    joined: Instant | None = None
    left: Instant | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """Which streams a participant sends and receives (RFC 7865 §6.8); neither means on hold."""

    participant_id: str
    sends: tuple[str, ...] = ()
    receives: tuple[str, ...] = ()
    since: Instant | None = None
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """An element that RFC 7865 does not define, such as a vendor's."""

    parent: str
    """Id of the element it is in or refers to; "" for the document."""
    name: str
    """Local name, in lower case."""
    xml: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """A snapshot, or what several come to."""

    complete: bool = True
    """False: only elements that changed."""
    sessions: tuple[SessionInfo, ...] = ()
    participants: tuple[Participant, ...] = ()
    streams: tuple[StreamInfo, ...] = ()
    memberships: tuple[Membership, ...] = ()
    uses: tuple[Use, ...] = ()
    extensions: tuple[Extension, ...] = ()
    problems: tuple[str, ...] = ()
    """What was odd in the document."""

    def senders(self) -> Iterator[tuple[Participant, str]]:
        """Yield each participant with the id of a stream it sends on, in the order of the participants.

        A participant that is referred to but not declared has only its id. Who left (disassociate-time) sends nothing.
        """
        known = {participant.id: participant for participant in self.participants}
        order = {key: place for place, key in enumerate(known)}
        here = {each.participant_id for each in self.memberships if each.left is None}
        gone = {each.participant_id for each in self.memberships} - here
        for use in sorted(self.uses, key=lambda use: order.get(use.participant_id, len(order))):
            if use.until is None and use.participant_id not in gone:
                participant = known.get(use.participant_id, Participant(use.participant_id))
                yield from ((participant, stream_id) for stream_id in use.sends)


def merge(old: Metadata | None, new: Metadata) -> Metadata:
    """The state after `new` (RFC 7866 §9.1): a complete snapshot replaces all, a partial one what it names.

    Of an element that is given again only what is given anew changes; but a participant sends and receives exactly what
    the newest association says (RFC 7865 §6.8.1).
    """
    if old is None or new.complete:
        return new
    return Metadata(
        complete=old.complete,
        sessions=_merged(old.sessions, new.sessions, lambda each: each.id),
        participants=_merged(old.participants, new.participants, lambda each: each.id),
        streams=_merged(old.streams, new.streams, lambda each: each.id or each.label),
        memberships=_merged(old.memberships, new.memberships, lambda each: (each.participant_id, each.session_id)),
        uses=tuple({each.participant_id: each for each in (*old.uses, *new.uses)}.values()),
        extensions=tuple(dict.fromkeys((*old.extensions, *new.extensions))),
        problems=tuple(dict.fromkeys((*old.problems, *new.problems))),
    )


def _merged(old: Sequence[_Item], new: Sequence[_Item], key: Callable[[_Item], object]) -> tuple[_Item, ...]:
    result = {key(item): item for item in old}
    for item in new:
        before = result.get(key(item))
        result[key(item)] = item if before is None else _filled(item, before)
    return tuple(result.values())


def _filled(new: _Item, old: _Item) -> _Item:
    """`new`, with what it leaves empty taken from `old`."""
    empty = {field.name: getattr(old, field.name) for field in fields(new) if not getattr(new, field.name)}  # type: ignore[arg-type]
    return replace(new, **empty)  # type: ignore[type-var]


def _time_ns(found: re.Match[str]) -> int | None:
    year, month, day, hour, minute, second, fraction, _, sign, offset_hours, offset_minutes = found.groups()
    try:
        local = datetime(*map(int, (year, month, day, hour, minute)), tzinfo=UTC)  # type: ignore[misc, arg-type]
        since = local - datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(second))  # 60 is a leap second
    except ValueError:
        return None
    if sign:
        offset = timedelta(hours=int(offset_hours), minutes=int(offset_minutes))
        since += offset if sign == "-" else -offset
    return (since // timedelta(seconds=1)) * 1_000_000_000 + int((fraction or "0").ljust(9, "0"))
