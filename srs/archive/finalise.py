"""From a capture to its recordings: a pure function of the file, the same for a live call, a left-over, a mirror."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from rtp import mix, pcap
from rtp.codecs import Samples
from rtp.mix import Channels
from rtp.pcap import Datagrams
from srs.archive import legs, secure
from srs.archive.demultiplex import Rows, demultiplex
from srs.archive.facts import Interval, LegFacts, one_way, problems, span
from srs.archive.legs import Frame
from srs.archive.listen import Heard, listen
from srs.archive.replay import NoSession, Replay, kernel_drops, replay
from srs.archive.reports import aligned
from srs.archive.treatment import Treatment, masked
from srs.siprec import operator
from srs.siprec.identifiers import Identifier
from srs.siprec.session import Presence, Session, Stream, parties
from srs.siprec.split import split

__all__ = ["LegFacts", "LegSound", "NoSession", "Recording", "channels", "finalise"]


AS_IT_CAME = Treatment()
MOST_DOCUMENTS = 20
"""Metadata documents that are kept of a session: real ones have 1 to 4 kB, none more than a datagram of a capture."""


@dataclass(frozen=True, slots=True)
class LegSound:
    """One party's stream: a channel of the recording."""

    label: str | None
    aor: str | None
    name: str | None
    codec: str | None
    """Encoding of most of its packets; None: nothing came."""
    facts: LegFacts
    samples: Samples
    """From the start to the end of the session."""
    sample_rate: int


@dataclass(frozen=True, slots=True)
class Recording:
    """One call: a communication session, or the recording session where none is told of."""

    call_id: str
    session_id: str | None
    """Of the communication session, as the metadata say."""
    started_ns: int
    ended_ns: int
    """UTC: our first 200 or the first packet; the BYE, or the end of the last packet before it."""
    interrupted: bool
    """There is no BYE."""
    legs: tuple[LegSound, ...]
    """In channel order: caller, callee, more."""
    caller: str | None
    callee: str | None
    identifiers: tuple[Identifier, ...]
    """What others call it."""
    facts: dict[str, object]
    """Fit for JSON: what is known of the session beside its legs."""


def finalise(path: Path, treatment: Treatment = AS_IT_CAME) -> tuple[Recording, ...]:
    """Make the recordings of a capture: one for each communication session in it, in order of time.

    Raises:
        CaptureError: the file is no capture.
        NoSession: there is no session in it that has sound.
    """
    captured = pcap.read(path)
    replayed = replay(captured)
    datagrams, refused = secure.opened(captured, replayed.session)
    sessions = [each for each in split(replayed.session) if parties(each)]
    if not sessions:
        raise NoSession("no audio stream was accepted in the session")
    rows = [_rows(datagrams, session, replayed, sessions) for session in sessions]
    other = len(datagrams) - _claimed(datagrams, rows) - replayed.messages
    return tuple(
        _recording(datagrams, replace(replayed, session=session), own, refused, other, treatment)
        for session, own in zip(sessions, rows, strict=True)
    )


def _recording(
    datagrams: Datagrams,
    replayed: Replay,
    rows: Mapping[Stream, Rows],
    refused: Mapping[int, secure.Refused],
    other: int,
    treatment: Treatment,
) -> Recording:
    session, streams = replayed.session, parties(replayed.session)
    came = {stream: listen(datagrams, rows[stream], stream, session.ended_ns) for stream in streams}
    heard = aligned(datagrams, came)
    start_ns, end_ns = _extent(replayed, list(heard.values()))
    drops = kernel_drops(replayed.events)
    withheld = _withheld(replayed, start_ns, end_ns)
    sounds = []
    for stream, (aor, name) in streams.items():
        paused = pauses(stream, start_ns, end_ns)
        frame = Frame(start_ns, end_ns, paused, tuple((since, until) for since, until, _ in withheld))
        sound = legs.sound(datagrams.data, heard[stream], frame, concealing=treatment.conceal)
        facts = legs.facts(datagrams.data, heard[stream], frame, sound, drops.get(_port(stream), 0))
        facts = secure.told(facts, stream, refused.get(_port(stream)), (start_ns, end_ns))
        if treatment.mask_digits:
            sound, facts = masked(sound, facts)
        codec = legs.main_codec(heard[stream])
        sounds.append(LegSound(stream.label, aor, name, codec, facts, sound.samples, sound.rate))
    caller, callee = _callers(sounds)
    return Recording(
        call_id=session.call_id,
        session_id=session.metadata.sessions[0].id if session.metadata and session.metadata.sessions else None,
        started_ns=start_ns,
        ended_ns=end_ns,
        interrupted=session.ended_ns is None,
        legs=tuple(sounds),
        caller=caller,
        callee=callee,
        identifiers=tuple(dict.fromkeys(each.identifier for each in session.identifiers)),
        facts={
            **_facts(replayed, rows, sounds, start_ns),
            "one_way": one_way([(each.label, each.facts) for each in sounds], (end_ns - start_ns) / 1e9),
            "operator_pauses": [[*span((since, until), start_ns), by] for since, until, by in withheld],
            "other_datagrams": other,
            "lost_tail": datagrams.lost_tail,
        },
    )


def _rows(datagrams: Datagrams, session: Session, replayed: Replay, sessions: Sequence[Session]) -> dict[Stream, Rows]:
    """Return what came for each audio stream of a communication session, until another one begins on it."""
    streams = list(parties(session))
    whole = session.started_ns == replayed.session.started_ns
    since_ns = replayed.first_ns if whole or session.started_ns is None else session.started_ns
    rows = dict(zip(streams, demultiplex(datagrams, streams, since_ns), strict=True))
    starts = [each.started_ns or 0 for each in sessions]
    until_ns = min(
        (start for start in starts if session.ended_ns is not None and start >= session.ended_ns), default=None
    )
    if until_ns is None:
        return rows
    return {stream: own[datagrams.time_ns[own] < until_ns] for stream, own in rows.items()}


def channels(recording: Recording) -> Channels:
    """Return the legs beside each other, at the highest leg's rate."""
    return mix.channels([(leg.samples, leg.sample_rate) for leg in recording.legs])


def pauses(stream: Stream, start_ns: int, end_ns: int) -> tuple[Interval, ...]:
    """Return when a stream was inactive, UTC in nanoseconds, within the session."""
    changes = [*stream.directions, (end_ns, "")]
    found: list[Interval] = []
    for (since, direction), (until, _) in pairwise(changes):
        begin, end = max(since, start_ns), min(until, end_ns)
        if direction != "inactive" or begin >= end:
            continue
        if found and found[-1][1] == begin:
            begin = found.pop()[0]
        found.append((begin, end))
    return tuple(found)


def _withheld(replayed: Replay, start_ns: int, end_ns: int) -> list[tuple[int, int, str]]:
    """Return when an operator had nothing kept, within the session, and who it was."""
    found = operator.pauses(replayed.events, end_ns)
    within = ((max(int(since), start_ns), min(int(until), end_ns), by) for since, until, by in found)
    return [(since, until, by) for since, until, by in within if since < until]


def _extent(replayed: Replay, heard: Sequence[Heard]) -> Interval:
    """Return the time that is recorded: our first 200 or an earlier packet, to the BYE or the end of the sound."""
    session = replayed.session
    began = replayed.first_ns if session.started_ns is None else session.started_ns
    ended = replayed.last_ns if session.ended_ns is None else session.ended_ns
    start_ns = min([began, *(each.first_ns for each in heard if each.first_ns is not None)])
    return start_ns, max([start_ns, ended, *(each.last_ns for each in heard if each.last_ns is not None)])


def _callers(sounds: Sequence[LegSound]) -> tuple[str | None, str | None]:
    """Return who is on the first and the second channel, by address or else by name."""
    who = [sound.aor or sound.name for sound in sounds[:2]]
    return who[0], who[1] if len(who) > 1 else None


def _claimed(datagrams: Datagrams, rows: Sequence[Mapping[Stream, Rows]]) -> int:
    """Return how many datagrams came for the streams and their RTCP ports; several sessions may share some."""
    ports = {_port(stream) + 1 for each in rows for stream in each}
    beside = int(np.isin(datagrams.destination_port, list(ports)).sum())
    own = [own for each in rows for own in each.values()]
    return beside + (sum(map(len, own)) if len(rows) == 1 else len(np.unique(np.concatenate(own))))


def _facts(
    replayed: Replay, rows: Mapping[Stream, Rows], sounds: Sequence[LegSound], start_ns: int
) -> dict[str, object]:
    """Return what is known of the session beside its legs, fit for JSON; times are seconds since `start_ns`."""
    session = replayed.session
    return {
        "end_reason": session.end_reason,
        "problems": [*session.problems, *(said for each in sounds for said in problems(each.label, each.facts))],
        "participants": [_participant(session, each, start_ns) for each in session.history],
        "documents": list(_documents(session, start_ns)),
        "events": [[_seconds(time_ns, start_ns), event] for time_ns, event in replayed.events],
        "not_recorded": [
            {"index": stream.index, "kind": stream.kind, "label": stream.label}
            for stream in session.streams
            if stream not in rows
        ],
        "headers": dict(replayed.headers),
        "extensions": sorted({each.name for each in session.metadata.extensions}) if session.metadata else [],
        "unreadable_messages": replayed.unreadable,
    }


def _documents(session: Session, start_ns: int) -> Iterator[dict[str, object]]:
    """Yield the metadata as they came, one that is like the last one only once."""
    before = b""
    for time_ns, xml in session.snapshots[:MOST_DOCUMENTS]:
        if xml != before:
            text = xml.decode("utf-8", "replace").replace("\0", "\ufffd")
            yield {"at_s": _seconds(time_ns, start_ns), "xml": text}
        before = xml


def _participant(session: Session, presence: Presence, start_ns: int) -> dict[str, object]:
    """Return who sent on which stream, from when to when."""
    return {
        "label": session.streams[presence.stream].label,
        "aor": presence.participant.aor,
        "name": presence.participant.name,
        "from_s": _seconds(presence.since_ns, start_ns),
        "to_s": None if presence.until_ns is None else _seconds(presence.until_ns, start_ns),
    }


def _seconds(time_ns: int, start_ns: int) -> float:
    return round((time_ns - start_ns) / 1e9, 6)


def _port(stream: Stream) -> int:
    return stream.local[1] if stream.local else 0
