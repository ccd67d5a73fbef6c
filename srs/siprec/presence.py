"""Who speaks on which stream, from when to when: metadata and streams brought together by label (RFC 7866 §7.1.1)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from srs.siprec.model import Metadata, Participant
from srs.siprec.streams import Stream

Streams = tuple[Stream, ...]
MOST_SPEAKERS = 256
"""At a time; in documents that name more the others are not followed."""


class Spoken(NamedTuple):
    """Somebody sends on a stream now."""

    stream: int
    participant: Participant
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Presence:
    """A participant sends on a stream for a while."""

    stream: int
    """Position in the streams of the session."""
    participant: Participant
    since_ns: int
    """UTC."""
    until_ns: int | None = None
    """UTC; None: still there."""
    guessed: bool = False
    """Concluded from the order of things, no association says so."""


def follow(
    history: tuple[Presence, ...], metadata: Metadata | None, streams: Streams, time_ns: int
) -> tuple[Presence, ...]:
    """The history when `metadata` and `streams` hold from `time_ns` on: presences end, go on, begin."""
    if metadata is None:
        return history
    waiting = _speakers(history, metadata, streams)
    result = []
    for presence in history:
        going_on = next((each for each in waiting if presence.until_ns is None and _is_same(presence, each)), None)
        if going_on:
            waiting.remove(going_on)
            named = going_on.participant if going_on.participant.names else presence.participant
            result.append(replace(presence, participant=named, guessed=going_on.guessed))
        else:
            result.append(replace(presence, until_ns=time_ns) if presence.until_ns is None else presence)
    return (*result, *(Presence(each.stream, each.participant, time_ns, None, each.guessed) for each in waiting))


def close(history: tuple[Presence, ...], time_ns: int) -> tuple[Presence, ...]:
    """The history when the session is over."""
    return tuple(replace(each, until_ns=time_ns) if each.until_ns is None else each for each in history)


def _is_same(presence: Presence, spoken: Spoken) -> bool:
    """Whether it is the same party on the same stream.

    The address decides where both have one: some clients give new ids in every snapshot, others use one id for two.
    """
    old, new = presence.participant, spoken.participant
    if presence.stream != spoken.stream:
        return False
    return old.aor == new.aor if old.aor and new.aor else old.id == new.id or bool(old.name and old.name == new.name)


def _speakers(history: tuple[Presence, ...], metadata: Metadata, streams: Streams) -> list[Spoken]:
    """Who sends on which live stream, in the order of the participants.

    Stream ids lead to labels and labels to m-lines, never positions; several ids may have one label and the reverse.
    Then audio that nobody sends on is given to those whose audio could not be found, see `_guessed`.
    """
    by_label: dict[str, list[int]] = {}
    for position, stream in enumerate(streams):
        if stream.removed_ns is None and stream.label:
            by_label.setdefault(stream.label, []).append(position)
    labels: dict[str, list[str]] = {}
    for info in metadata.streams:
        if info.label in by_label:
            labels.setdefault(info.id, []).append(info.label)
    told = (
        Spoken(position, participant)
        for participant, stream_id in metadata.senders()
        for label in labels.get(stream_id, ())
        for position in by_label[label]
    )
    certain = list(dict.fromkeys(islice(told, MOST_SPEAKERS)))
    return [*certain, *islice(_guessed(history, metadata, streams, certain), MOST_SPEAKERS)]


def _guessed(
    history: tuple[Presence, ...], metadata: Metadata, streams: Streams, told: list[Spoken]
) -> Iterator[Spoken]:
    """Pair audio without sender with senders without audio.

    Senders without audio are those whose labels have no m-line or only name their video; and, where metadata never had
    an association, all participants. They stay where they were; else, if there is but one audio stream, it is a mix of
    them all; else, if there are as many of them as of silent streams, they are paired in order: streams as the metadata
    list their labels, else as m-lines; participants by the m-line of their video, else as listed.
    """
    audio = [
        position
        for position, stream in enumerate(streams)
        if stream.kind == "audio" and stream.local and stream.removed_ns is None
    ]
    heard = {each.stream for each in told}
    silent = [position for position in audio if position not in heard]
    if not silent:
        return
    seekers = _seekers(metadata, told, set(audio), known=not all(each.guessed for each in history))
    for presence in history:
        if presence.until_ns is not None or presence.stream not in silent:
            continue
        seeker = next((each for each in seekers if _is_same(presence, Spoken(presence.stream, each))), None)
        if seeker:
            yield Spoken(presence.stream, seeker, guessed=True)
            silent.remove(presence.stream)
            seekers.remove(seeker)
    if len(audio) == 1:
        yield from (Spoken(audio[0], seeker, guessed=True) for seeker in seekers)
    elif len(silent) == len(seekers):
        rank = {info.label: place for place, info in enumerate(metadata.streams)}
        silent.sort(key=lambda position: rank.get(streams[position].label or "", len(rank)))
        yield from (Spoken(*pair, guessed=True) for pair in zip(silent, seekers, strict=True))


def _seekers(metadata: Metadata, told: list[Spoken], audio: set[int], *, known: bool) -> list[Participant]:
    placed = {each.participant.id for each in told if each.stream in audio}
    if not metadata.uses and not known:
        return list(metadata.participants)
    video = {each.participant.id: each.stream for each in reversed(told)}
    senders = dict.fromkeys(participant for participant, _ in metadata.senders())
    seekers = [participant for participant in senders if participant.id not in placed]
    return sorted(seekers, key=lambda participant: video.get(participant.id, -1))
