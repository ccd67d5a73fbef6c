"""The communication sessions (CS, RFC 7865 §6.3) that a recording session carries, one after another or at once.

What the metadata say decides: a CS begins when a document names it, and ends with its stop-time, when all who took part
have left, or when a complete document leaves it out (RFC 8068 §3.4, §3.5). Two liberties of clients are known: a
document may lack sessions altogether, which ends nothing; and some give a call a new id in every document, which is
seen by its parties or its sipSessionID.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from srs.siprec.model import Metadata, Participant, SessionInfo
from srs.siprec.streams import Stream


@dataclass(frozen=True, slots=True)
class Part:
    """A stream belongs to a communication session for a while."""

    stream: int
    """Position in the streams of the recording session."""
    since_ns: int
    """UTC."""
    until_ns: int | None = None
    """UTC; None: still."""


@dataclass(frozen=True, slots=True)
class Communication:
    """One communication session."""

    info: SessionInfo
    """As last told."""
    since_ns: int
    """UTC."""
    until_ns: int | None = None
    """UTC; None: it goes on, or ends with the recording session."""
    parts: tuple[Part, ...] = ()
    members: tuple[str, ...] = ()
    """Ids and addresses of all who ever took part, in the order in which they were named; at the end former own ids."""
    present: frozenset[str] = frozenset()
    """Addresses, else names, else ids of those who take part now."""


def follow(
    known: tuple[Communication, ...], metadata: Metadata | None, streams: tuple[Stream, ...], start_ns: int, now_ns: int
) -> tuple[Communication, ...]:
    """The communication sessions when `metadata` and `streams` hold from `now_ns` on.

    Args:
        start_ns: UTC, since when those are recorded that were not known before.
    """
    if metadata is None or not (metadata.sessions or known):
        return known
    going_on = _going_on(metadata) if metadata.sessions or not metadata.participants else _untold(known)
    ids = {each.info.id for each in known}
    result = []
    for each in known:
        fresh = [info for key, info in going_on.items() if key not in ids]
        info = (going_on.get(each.info.id) or _renamed(each, metadata, fresh)) if each.until_ns is None else None
        if info is not None:
            del going_on[info.id]
            former = () if info.id == each.info.id else (each.info.id,)
            result.append(replace(each, info=info, members=(*each.members, *former)))
        else:
            result.append(_ended(each, now_ns))
    result += [Communication(info, start_ns) for info in going_on.values()]
    return _with_parts(tuple(result), metadata, streams, now_ns)


def _going_on(metadata: Metadata) -> dict[str, SessionInfo]:
    """The sessions that are neither stopped nor left by all, by id."""
    here = {each.session_id for each in metadata.memberships if each.left is None}
    deserted = {each.session_id for each in metadata.memberships} - here
    return {info.id: info for info in metadata.sessions if info.stop is None and info.id not in deserted}


def _untold(known: Iterable[Communication]) -> dict[str, SessionInfo]:
    return {each.info.id: each.info for each in known if each.until_ns is None}


def _renamed(known: Communication, metadata: Metadata, fresh: Iterable[SessionInfo]) -> SessionInfo | None:
    """The same call under another id, if there is such; not if its own is still told, as one that has ended."""
    if any(info.id == known.info.id for info in metadata.sessions):
        return None
    for info in fresh:
        same_call = set(info.sip_session_ids) & set(known.info.sip_session_ids)
        if same_call or (known.present and known.present == _present(metadata, info.id)):
            return info
    return None


def _ended(communication: Communication, now_ns: int) -> Communication:
    if communication.until_ns is not None:
        return communication
    parts = tuple(replace(part, until_ns=part.until_ns or now_ns) for part in communication.parts)
    return replace(communication, until_ns=now_ns, parts=parts)


def _with_parts(
    communications: tuple[Communication, ...], metadata: Metadata, streams: tuple[Stream, ...], now_ns: int
) -> tuple[Communication, ...]:
    """Bring up to date who and which streams belong to the sessions that go on."""
    known = {each.info.id for each in communications}
    living = {each.info.id for each in communications if each.until_ns is None}
    there = [position for position, stream in enumerate(streams) if stream.removed_ns is None]
    owners = {position: _owners(metadata, streams[position], known, living) for position in there}
    unowned = [position for position in there if not owners[position]]
    described = {info.session_id for info in metadata.streams}
    result = []
    for each in communications:
        if each.until_ns is None:
            held = [position for position in there if each.info.id in owners[position]] or unowned
            people = _people(metadata, each.info.id)
            if not held and each.info.id not in described:
                held = [position for position in there if _sent_by(metadata, streams[position], people)]
            names = (name for person in people for name in (person.id, person.aor) if name)
            each = replace(
                each,
                parts=_held(each, held, now_ns),
                members=tuple(dict.fromkeys((*each.members, *names))),
                present=_present(metadata, each.info.id),
            )
        result.append(each)
    return tuple(result)


def _held(communication: Communication, positions: Collection[int], now_ns: int) -> tuple[Part, ...]:
    """The parts of a session that has the streams at `positions` from now on."""
    kept = [
        part if part.until_ns is not None or part.stream in positions else replace(part, until_ns=now_ns)
        for part in communication.parts
    ]
    open_ = {part.stream for part in kept if part.until_ns is None}
    since_ns = now_ns if communication.parts else communication.since_ns
    return (*kept, *(Part(position, since_ns) for position in positions if position not in open_))


def _owners(metadata: Metadata, stream: Stream, known: set[str], living: set[str]) -> set[str]:
    """The sessions that a stream belongs to: as its own element says, else those of its senders, else all.

    None, if all that is told of it is a session that has ended.
    """
    infos = [info for info in metadata.streams if stream.label and info.label == stream.label]
    told = {info.session_id for info in infos}
    if told & living:
        return told & living
    ids = {info.id for info in infos}
    senders = {use.participant_id for use in metadata.uses if use.until is None and ids & set(use.sends)}
    theirs = {each.session_id for each in metadata.memberships if each.participant_id in senders and each.left is None}
    return (theirs & living) or (set() if told & known else living)


def _sent_by(metadata: Metadata, stream: Stream, people: Iterable[Participant]) -> bool:
    """Whether one of them sends on a stream: a mix of two calls may be told of under one of them (RFC 8068 §3.5)."""
    ids = {info.id for info in metadata.streams if stream.label and info.label == stream.label}
    there = {person.id for person in people}
    return any(use.participant_id in there and ids & set(use.sends) for use in metadata.uses if use.until is None)


def _people(metadata: Metadata, session_id: str) -> list[Participant]:
    """Who takes part in a session; where no association says so, all of a document with one session."""
    if not metadata.memberships and len(metadata.sessions) == 1:
        return list(metadata.participants)
    known = {participant.id: participant for participant in metadata.participants}
    here = (each for each in metadata.memberships if each.session_id == session_id and each.left is None)
    return [known[each.participant_id] for each in here if each.participant_id in known]


def _present(metadata: Metadata, session_id: str) -> frozenset[str]:
    return frozenset(each.aor or each.name or each.id for each in _people(metadata, session_id))
