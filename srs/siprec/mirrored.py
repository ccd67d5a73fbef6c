"""An ordinary call, seen at a mirror port: its two directions as two streams, as if it had been recorded by SIPREC.

The answer tells where the callee hears the caller, the offer where the caller hears the callee.
"""

from collections.abc import Iterator
from dataclasses import replace

from srs.sip.message import Address, Request
from srs.siprec.model import NameId, Participant
from srs.siprec.presence import Presence
from srs.siprec.session import Session
from srs.siprec.streams import Stream

NOTE = "mirrored"
"""The event that a capture of such a call has."""


def both_ways(session: Session, invite: Request) -> Session:
    """The session of an ordinary call with a stream for each direction of its audio.

    Args:
        invite: its first.
    """
    places = [place for place, stream in enumerate(session.streams) if stream.kind == "audio" and stream.local]
    people = _participant("caller", invite.from_address), _participant("callee", invite.to_address)
    streams: list[Stream] = []
    history: list[Presence] = []
    for place in places:
        for person, stream in zip(people, _directions(session.streams[place]), strict=False):
            history.append(Presence(len(streams), person, session.started_ns or 0, session.ended_ns))
            streams.append(stream)
    return replace(session, streams=tuple(streams), history=tuple(history), metadata=None, communications=())


def _directions(stream: Stream) -> Iterator[Stream]:
    """What the caller sends, and what the callee sends: whoever is put on hold may send music all the same."""
    always = tuple((since, "recvonly") for since, _ in stream.directions[:1])
    yield replace(stream, label=f"{2 * stream.index + 1}", directions=always)
    if stream.remote:
        label = f"{2 * stream.index + 2}"
        yield replace(stream, label=label, local=stream.remote, remote=stream.local, directions=always)


def _participant(key: str, address: Address) -> Participant:
    return Participant(key, (NameId(address.uri.partition(";")[0], address.name),))
