"""The client that a call came from, as signalling noted it in the capture (`srs.capture.peers.note`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class Peer:
    """What its `[[peer]]` says of its calls."""

    name: str | None = None
    purpose: str | None = None
    tags: tuple[str, ...] = ()


def peer_of(facts: Mapping[str, object]) -> Peer:
    """Read the note `peer;name=…;purpose=…;tag=…` among the events of a recording's facts."""
    events = cast("list[tuple[float, str]]", facts.get("events", []))
    note = next((event for _, event in events if event.startswith("peer;")), "")
    pairs = [(name, unquote(value)) for name, _, value in (part.partition("=") for part in note.split(";")[1:])]
    told = dict(pairs)
    return Peer(told.get("name"), told.get("purpose"), tuple(value for name, value in pairs if name == "tag"))
