"""A recording session cut into its communication sessions: each as if it had been recorded by itself."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from srs.siprec.communication import Communication, Part
from srs.siprec.identifiers import Named
from srs.siprec.presence import Presence
from srs.siprec.session import Session
from srs.siprec.streams import Stream

_Value = TypeVar("_Value")


def split(session: Session) -> tuple[Session, ...]:
    """One session for each communication session that has audio, in order of time; without any the session as it is.

    Each has its own time, streams and parties; a stream that belongs to it only for a while is inactive before and
    after. Whether their recordings share sound depends on their streams: at a turret a stream may carry several calls.
    """
    found = [
        each
        for each in session.communications
        if any(session.streams[part.stream].kind == "audio" for part in each.parts)
    ]
    return tuple(_cut(session, each) for each in found) or (session,)


def _cut(session: Session, communication: Communication) -> Session:
    positions = sorted({part.stream for part in communication.parts})
    place = {position: index for index, position in enumerate(positions)}
    streams = tuple(
        _stream(session.streams[position], [part for part in communication.parts if part.stream == position])
        for position in positions
    )
    metadata = session.metadata and replace(session.metadata, sessions=(communication.info,))
    until_ns = session.ended_ns if communication.until_ns is None else communication.until_ns
    return replace(
        session,
        started_ns=communication.since_ns,
        ended_ns=until_ns,
        end_reason=session.end_reason if communication.until_ns is None else _reason(communication),
        streams=streams,
        metadata=metadata,
        history=tuple(_presences(session, communication, place)),
        identifiers=tuple(_identifiers(session, communication)),
        snapshots=tuple(each for each in session.snapshots if _is_in_time(session, communication, each[0])),
        communications=(communication,),
    )


def _reason(communication: Communication) -> str:
    return "; ".join(communication.info.reasons) or "the communication session ended"


def _stream(stream: Stream, parts: list[Part]) -> Stream:
    """A stream within the times of `parts`."""
    codecs = _since(stream.codecs, parts[0].since_ns)
    directions: list[tuple[int, str]] = []
    for part in parts:
        directions += _until(_since(stream.directions, part.since_ns), part.until_ns)
        if part.until_ns is not None:
            directions.append((part.until_ns, "inactive"))
    return replace(stream, codecs=codecs, directions=tuple(directions))


def _since(history: Iterable[tuple[int, _Value]], since_ns: int) -> tuple[tuple[int, _Value], ...]:
    """What holds at a moment, and what follows."""
    entries = list(history)
    before = [entry for entry in entries if entry[0] <= since_ns]
    return (
        *((since_ns, value) for _, value in before[-1:]),
        *(entry for entry in entries if entry[0] > since_ns),
    )


def _until(history: Iterable[tuple[int, _Value]], until_ns: int | None) -> list[tuple[int, _Value]]:
    return [entry for entry in history if until_ns is None or entry[0] < until_ns]


def _presences(session: Session, communication: Communication, place: Mapping[int, int]) -> list[Presence]:
    """Who was on its streams in its time, save those who are known to take part in other calls only."""
    order = {name: index for index, name in enumerate(communication.members)}
    others = {name for each in session.communications for name in each.members} - order.keys()
    found = []
    for presence in session.history:
        who = {presence.participant.id, presence.participant.aor or ""}
        rank = min((order[name] for name in who & order.keys()), default=len(order))
        if presence.stream in place and (rank < len(order) or not who & others):
            found += [(each.since_ns, rank, each) for each in _clipped(presence, communication.parts)]
    found.sort(key=lambda item: item[:2])
    return [replace(presence, stream=place[presence.stream]) for _, _, presence in found]


def _clipped(presence: Presence, parts: Iterable[Part]) -> Iterator[Presence]:
    """A presence within the times of the parts."""
    for part in parts:
        since_ns = max(presence.since_ns, part.since_ns)
        until_ns = min((end for end in (presence.until_ns, part.until_ns) if end is not None), default=None)
        if part.stream == presence.stream and (until_ns is None or since_ns < until_ns):
            yield replace(presence, since_ns=since_ns, until_ns=until_ns)


def _identifiers(session: Session, communication: Communication) -> Iterator[Named]:
    """Those of the call, its parties and streams; what is said of nothing known belongs to the calls of its time."""
    own = {communication.info.id, *communication.members}
    others = {name for each in session.communications for name in (each.info.id, *each.members)} - own
    for named in session.identifiers:
        if named.owner in own or (named.owner not in others and _is_in_time(session, communication, named.time_ns)):
            yield named


def _is_in_time(session: Session, communication: Communication, time_ns: int) -> bool:
    """Whether a message of that time may be of the call."""
    since_ns = max((_over(each, communication) for each in session.communications), default=0)
    return since_ns < time_ns and not (communication.until_ns and time_ns > communication.until_ns)


def _over(earlier: Communication, later: Communication) -> int:
    """Since when a message may be of `later` rather than of `earlier`; one may end the one and begin the other."""
    if earlier.until_ns is None or earlier.until_ns > later.since_ns:
        return 0
    return earlier.since_ns if earlier.until_ns == later.since_ns else earlier.until_ns
