"""Who speaks on which stream, from when to when: metadata and streams brought together by label (RFC 7866 §7.1.1)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from srs.siprec.model import Metadata, Participant
from srs.siprec.streams import Stream

Streams = tuple[Stream, ...]
Spoken = tuple[int, Participant]
"""Position of a stream in the session, and who sends on it."""


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
            named = going_on[1] if going_on[1].names else presence.participant
            result.append(replace(presence, participant=named))
        else:
            result.append(replace(presence, until_ns=time_ns) if presence.until_ns is None else presence)
    return (*result, *(Presence(position, participant, time_ns) for position, participant in waiting))


def close(history: tuple[Presence, ...], time_ns: int) -> tuple[Presence, ...]:
    """The history when the session is over."""
    return tuple(replace(each, until_ns=time_ns) if each.until_ns is None else each for each in history)


def _is_same(presence: Presence, spoken: Spoken) -> bool:
    """Whether it is the same party on the same stream.

    The address decides where both have one: some clients give new ids in every snapshot, others use one id for two.
    """
    old, (position, new) = presence.participant, spoken
    if presence.stream != position:
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
        labels.setdefault(info.id, []).append(info.label)
    told = [
        (position, participant)
        for participant, stream_id in metadata.senders()
        for label in labels.get(stream_id, ())
        for position in by_label.get(label, ())
    ]
    return list(dict.fromkeys([*told, *_guessed(history, metadata, streams, told)]))


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
    heard = {position for position, _ in told}
    silent = [position for position in audio if position not in heard]
    if not silent:
        return
    seekers = _seekers(metadata, told, set(audio), known=bool(history))
    for presence in history:
        stays = presence.until_ns is None and presence.stream in silent
        seeker = next((each for each in seekers if stays and _is_same(presence, (presence.stream, each))), None)
        if seeker:
            yield presence.stream, seeker
            silent.remove(presence.stream)
            seekers.remove(seeker)
    if len(audio) == 1:
        yield from ((audio[0], seeker) for seeker in seekers if silent)
    elif len(silent) == len(seekers):
        rank = {info.label: place for place, info in enumerate(metadata.streams)}
        silent.sort(key=lambda position: rank.get(streams[position].label or "", len(rank)))
        yield from zip(silent, seekers, strict=True)


def _seekers(metadata: Metadata, told: list[Spoken], audio: set[int], *, known: bool) -> list[Participant]:
    placed = {participant.id for position, participant in told if position in audio}
    if not metadata.uses and not known:
        return list(metadata.participants)
    video = {participant.id: position for position, participant in reversed(told)}
    senders = dict.fromkeys(participant for participant, _ in metadata.senders())
    seekers = [participant for participant in senders if participant.id not in placed]
    return sorted(seekers, key=lambda participant: video.get(participant.id, -1))
