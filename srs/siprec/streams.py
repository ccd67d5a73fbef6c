"""The streams of a recording session over its life: what offer and answer agree on, m-line by m-line (RFC 3264 §8)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TypeVar

from rtp.codecs import Codec
from rtp.srtp import Epoch
from srs.siprec import sdes
from srs.siprec.sdp import MediaLine, Sdp

_Value = TypeVar("_Value")
UNKNOWN_ADDRESS = "0.0.0.0"
"""Stands for a local address that our description does not tell; recorders other than this one leave it out."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One m-line of the recording session; when a slot is reused after its removal, that is a new stream."""

    index: int
    """Of the m-line."""
    kind: str
    """"audio", "video", …"""
    label: str | None
    """As last offered."""
    local: tuple[str, int] | None
    """IP address and port that we answered; None while the stream is refused."""
    remote: tuple[str, int] | None
    """As the client wrote it; its RTP may come from elsewhere."""
    codecs: tuple[tuple[int, tuple[Codec, ...]], ...]
    """(since, UTC in ns; payload types offered), in order of time."""
    directions: tuple[tuple[int, str], ...]
    """(since, UTC in ns; "recvonly" or "inactive"), in order of time."""
    removed_ns: int | None = None
    """UTC; None: it is there."""
    keys: tuple[Epoch, ...] = ()
    """Those the client sends with, in order of time; none at all: it never was SRTP."""


def agree(streams: tuple[Stream, ...], theirs: Sdp | None, ours: Sdp, time_ns: int) -> tuple[Stream, ...]:
    """The streams after `theirs` and `ours`, offer and answer in either order, took effect at `time_ns`.

    Streams keep their positions, new ones are at the end. m-lines that a new offer leaves out, against RFC 3264 §8, go
    on as they were. `theirs` is None while our own offer is not answered.
    """
    place = {stream.index: position for position, stream in enumerate(streams) if stream.removed_ns is None}
    their_lines = theirs.media if theirs else (None,) * len(ours.media)
    result = list(streams)
    for index, (their_line, our_line) in enumerate(zip(their_lines, ours.media, strict=False)):
        position = place.get(index)
        if position is None:
            result += _added(index, their_line, our_line, time_ns)
            continue
        current = streams[position]
        if current.kind != our_line.kind:
            result[position] = replace(current, removed_ns=time_ns)
            result += _added(index, their_line, our_line, time_ns)
        elif not _is_offered(their_line) or (current.local and our_line.port == 0):
            result[position] = replace(current, removed_ns=time_ns)
        else:
            result[position] = _updated(current, their_line, our_line, time_ns)
    return tuple(result)


def taken(streams: tuple[Stream, ...], answered: Sdp, time_ns: int) -> tuple[Stream, ...]:
    """The streams of our first offer after the answer to it: what the client refused or left out was never there."""
    wanted = {index for index, line in enumerate(answered.media) if line.port}
    return tuple(each if each.index in wanted else replace(each, local=None, removed_ns=time_ns) for each in streams)


def _is_offered(line: MediaLine | None) -> bool:
    return line is None or line.port != 0


def _added(index: int, their_line: MediaLine | None, our_line: MediaLine, time_ns: int) -> Iterator[Stream]:
    if _is_offered(their_line):
        blank = Stream(index, our_line.kind, None, None, None, (), ())
        yield _updated(blank, their_line, our_line, time_ns)


def _updated(stream: Stream, their_line: MediaLine | None, our_line: MediaLine, time_ns: int) -> Stream:
    """The stream as two lines describe it; of what the client does not tell (yet), ours or the former holds."""
    told = their_line or our_line
    codecs = told.codecs if their_line or not stream.codecs else stream.codecs[-1][1]
    keys = sdes.agreed(their_line, our_line)
    return replace(
        stream,
        label=(told.label or our_line.label) if their_line else (stream.label or our_line.label),
        local=(_literal(our_line.address), our_line.port) if our_line.port else None,
        remote=(their_line.address, their_line.port) if their_line and their_line.address else stream.remote,
        codecs=_followed(stream.codecs, codecs, time_ns),
        directions=_followed(stream.directions, _direction(their_line, our_line), time_ns),
        keys=_followed(stream.keys, keys, time_ns) if keys or stream.keys else (),
    )


def _direction(their_line: MediaLine | None, our_line: MediaLine) -> str:
    ours_open = our_line.port != 0 and our_line.direction != "inactive"
    return "recvonly" if ours_open and (their_line is None or their_line.sends) else "inactive"


def _followed(history: tuple[tuple[int, _Value], ...], value: _Value, time_ns: int) -> tuple[tuple[int, _Value], ...]:
    """The history with a value that holds from now on, if it is new."""
    return history if history and history[-1][1] == value else (*history, (time_ns, value))


def _literal(address: str | None) -> str:
    try:
        return str(ip_address(address or ""))
    except ValueError:
        return UNKNOWN_ADDRESS
