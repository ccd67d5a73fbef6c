"""The recordings that somebody is in, also those whose sound is gone; and their own part of the sound."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, or_
from sqlmodel import col, select

from srs.archive import audio
from srs.archive.database import reading
from srs.archive.errors import NotReady
from srs.archive.export import open_sound
from srs.archive.store import Store
from srs.archive.subject import number
from srs.archive.tables import Leg, Notice, Recording

Samples = NDArray[np.int16]
Span = tuple[float, float | None]
"""(from, to) in seconds since the start; None: to the end."""

NATIONAL_DIGITS = 9
"""Two numbers are one if so many last digits are: +31 20 123 4567 and 020 123 4567."""


def same(one: str, other: str) -> bool:
    """Whether two addresses, numbers or names are somebody's same."""
    first, second = number(one).lower(), number(other).lower()
    if first == second or one.lower() == other.lower():
        return True
    digits = first.lstrip("+"), second.lstrip("+")
    long = all(each.isdecimal() and len(each) >= NATIONAL_DIGITS for each in digits)
    return long and digits[0][-NATIONAL_DIGITS:] == digits[1][-NATIONAL_DIGITS:]


def recordings_of(engine: Engine, person: str) -> list[Recording]:
    """Every recording that a number, address or name is in, oldest first."""
    core = number(person)
    part = core[-NATIONAL_DIGITS:] if core.lstrip("+").isdecimal() else core
    query = select(Recording).where(
        or_(
            col(Recording.caller).icontains(part, autoescape=True),
            col(Recording.callee).icontains(part, autoescape=True),
            col(Recording.legs).any(
                or_(col(Leg.aor).icontains(part, autoescape=True), col(Leg.name).icontains(part, autoescape=True))
            ),
            col(Recording.notices).any(col(Notice.party).icontains(part, autoescape=True)),
        )
    )
    with reading(engine) as session:
        rows = list(session.exec(query.order_by(col(Recording.started_at))))
    return [row for row in rows if any(same(party, person) for party in _parties(row))]


def _parties(row: Recording) -> Iterator[str]:
    told = [row.caller, row.callee, *(notice.party for notice in row.notices)]
    told += [text for leg in row.legs for text in (leg.aor, leg.name)]
    yield from (party for party in told if party)


def own_sound(row: Recording, store: Store, person: str, target: Path) -> None:
    """Write a WAV with what a person said: every other channel is silent, and their own while others spoke on it.

    Raises:
        NotReady: there is no sound, or all parties are on one channel and cannot be told apart.
    """
    with open_sound(row, store) as source:
        sound = audio.read(source)
        if sound.channels < len(row.legs):
            raise NotReady(f"recording {row.id} is mixed: the parties cannot be told apart, a person must decide")
        spans = _own_spans(row, person)
        with target.open("xb") as file:
            audio.write(file, "wav", _silenced(sound, spans), sound.channels, sound.rate, {})


def _own_spans(row: Recording, person: str) -> dict[int, list[Span]]:
    """When a person spoke on which channel."""
    told = row.facts.get("participants") or []
    channels = {leg.label: leg.channel for leg in row.legs}
    spans: dict[int, list[Span]] = {}
    for each in told:
        if each["label"] in channels and any(same(text, person) for text in (each["aor"], each["name"]) if text):
            spans.setdefault(channels[each["label"]], []).append((each["from_s"], each["to_s"]))
    for leg in row.legs if not told else ():
        if any(same(text, person) for text in (leg.aor, leg.name) if text):
            spans[leg.channel] = [(0.0, None)]
    return spans


def _silenced(sound: audio.Sound, spans: dict[int, list[Span]]) -> Iterator[Samples]:
    at = 0
    for piece in sound.pieces:
        own = np.zeros_like(piece)
        for channel, parts in spans.items():
            for from_s, to_s in parts:
                begin = max(round(from_s * sound.rate) - at, 0)
                end = len(piece) if to_s is None else max(round(to_s * sound.rate) - at, 0)
                own[begin:end, channel] = piece[begin:end, channel]
        at += len(piece)
        yield own
