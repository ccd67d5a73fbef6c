"""The calls under way: who speaks, how loud, how much of it comes, what operators did with them.

All who look share one board. It follows the captures as they grow while somebody looks, and spends little time on it,
however many calls there are: those that were not looked at longest come first.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from rtp.codecs import Samples
from srs.archive import captures
from srs.archive.peer import peer_of
from srs.archive.tables import Leg, Recording, State
from srs.config import Settings
from srs.live.window import NEVER, LegSound, Window
from srs.privacy.purpose import purpose_of, unwanted
from srs.siprec import operator
from srs.siprec.session import Session, parties

EVERY_S: Final = 1.0
BUDGET_S: Final = 0.1
"""Of each turn for measuring; what is new is always looked at."""
HEARD_NS: Final = 500_000_000
"""So much of each leg's sound gives its level."""
STALE_NS: Final = 2_000_000_000
REMEMBERED: Final = 10
"""Looks that a leg's share of packets is told of."""


@dataclass(frozen=True, slots=True)
class LegState:
    """A leg now."""

    party: str | None
    name: str | None
    codec: str | None
    level_dbov: float | None
    """Of the last half second; None: nothing came, or it is silent."""
    came: float | None
    """Share of the packets of the last seconds that came; None: there were none."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call under way; the same one until something of it is different."""

    row: Recording
    """As the archive has those that are not in the database yet, with the purpose and the length that it has by now."""
    legs: tuple[LegState, ...]
    paused_at: datetime | None
    """Since when an operator has nothing kept; None: all is."""
    unheard: str | None
    """Why nobody may listen in; None: those may who have the right."""


@dataclass
class _Watched:
    window: Window
    capture: Path
    looked: float = 0.0
    legs: tuple[LegState, ...] = ()
    shares: dict[int, deque[tuple[int, int]]] = field(default_factory=dict)
    """Leg to packets that came and were lost, look by look."""
    call: Call | None = None
    """As it was last told."""
    told: Session | None = None
    """What it was told of."""


class Board:
    """Of one recorder; any thread may ask."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._calls: tuple[Call, ...] = ()
        self._due = 0.0

    def calls(self) -> tuple[Call, ...]:
        """All calls under way, newest first, as they were about a second ago; whoever looks meanwhile does not wait."""
        if time.monotonic() >= self._due and self._lock.acquire(blocking=self._due == 0.0):
            try:
                if time.monotonic() >= self._due:
                    self._look(time.time_ns())
                    self._due = time.monotonic() + EVERY_S
            finally:
                self._lock.release()
        return self._calls

    def call(self, recording: str) -> Call | None:
        """The call of that recording; None: it is not under way."""
        return next((call for call in self.calls() if call.row.id == recording), None)

    def _look(self, now_ns: int) -> None:
        self._keep_up()
        spent = time.monotonic() + BUDGET_S
        for each in sorted(self._watched.values(), key=lambda watched: watched.looked):
            if each.looked and time.monotonic() > spent:
                break
            each.looked = time.monotonic()
            _measure(each, now_ns)
        known = [(each, each.window.session) for each in self._watched.values()]
        found = [self._told(each, session, now_ns) for each, session in known if session is not None]
        self._calls = tuple(sorted(found, key=lambda call: (call.row.started_at, call.row.id), reverse=True))

    def _keep_up(self) -> None:
        """Let go of calls that have ended, begin to follow new ones."""
        open_now = {path.stem: path for path in captures.waiting(self._settings.data_dir, "open")}
        for gone in self._watched.keys() - open_now.keys():
            self._watched.pop(gone).window.close()
        for stem in open_now.keys() - self._watched.keys():
            try:
                self._watched[stem] = _Watched(Window(open_now[stem]), open_now[stem])
            except FileNotFoundError:  # it has ended since it was listed
                continue

    def _told(self, watched: _Watched, session: Session, now_ns: int) -> Call:
        """The call now. Most of it follows from its SIP, and is made anew only when some has come."""
        call = watched.call
        if call is None or watched.told is not session:
            call = self._new(watched, session, now_ns)
        elif call.legs != watched.legs:
            call = replace(call, legs=watched.legs)
        call.row.ended_at = _moment(now_ns)
        call.row.duration_s = (call.row.ended_at - call.row.started_at).total_seconds()
        watched.call, watched.told = call, session
        return call

    def _new(self, watched: _Watched, session: Session, now_ns: int) -> Call:
        row = row_of(watched.capture.stem, session, now_ns)
        row.purpose = purpose_of(row, self._settings)
        found = operator.pauses(session.events, NEVER)
        paused = found[-1].since if found and found[-1].until == NEVER else None
        return Call(row, watched.legs, None if paused is None else _moment(int(paused)), unwanted(row, self._settings))


def row_of(recording: str, session: Session, now_ns: int) -> Recording:
    """A recording in the making, as the archive has those without row."""
    start_ns = session.started_ns or now_ns
    facts: dict[str, object] = {"events": [[max(at - start_ns, 0) / 1e9, event] for at, event in session.events]}
    peer, legs = peer_of(facts), list(parties(session).items())
    who = [party.aor or party.name for _, party in legs[:2]] + [None, None]
    return Recording(
        id=recording,
        call_id=session.call_id,
        caller=who[0],
        callee=who[1],
        legs=[
            Leg(channel=channel, label=stream.label, aor=party.aor, name=party.name)
            for channel, (stream, party) in enumerate(legs)
        ],
        state=State.RECORDING,
        started_at=_moment(start_ns),
        ended_at=_moment(now_ns),
        duration_s=max(now_ns - start_ns, 0) / 1e9,
        peer=peer.name,
        purpose=peer.purpose,
        tags=list(peer.tags),
        facts=facts,
        created_at=_moment(now_ns),
    )


def _measure(watched: _Watched, now_ns: int) -> None:
    watched.window.move(now_ns)
    newest_ns = watched.window.newest_ns
    if newest_ns < now_ns - STALE_NS:
        watched.legs = tuple(LegState(each.party, each.name, each.codec, None, None) for each in watched.legs)
        return
    sounds = watched.window.sounds(newest_ns - HEARD_NS, newest_ns)
    watched.legs = tuple(_state(place, sound, watched) for place, sound in enumerate(sounds))


def _state(place: int, sound: LegSound, watched: _Watched) -> LegState:
    shares = watched.shares.setdefault(place, deque(maxlen=REMEMBERED))
    shares.append((sound.packets, sound.lost))
    came, lost = (sum(each) for each in zip(*shares, strict=True))
    share = came / (came + lost) if came + lost else None
    return LegState(sound.party.aor, sound.party.name, sound.codec, level(sound.samples), share)


def level(samples: Samples) -> float | None:
    """How loud it is, dB below the loudest that there is; None: silence."""
    power = float(np.mean(np.square(samples.astype(np.float64)))) if len(samples) else 0.0
    return round(10 * np.log10(power / 32768**2), 1) if power else None


def _moment(time_ns: int) -> datetime:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC) + timedelta(
        microseconds=time_ns % 1_000_000_000 // 1000
    )
