"""Calls under way, as they come and go, and what can be done with them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from srs import control
from srs.archive.tables import Recording
from srs.config.privacy import purposes
from srs.control import Order
from srs.live.board import Call, LegState
from srs.privacy.errors import Misuse
from srs.privacy.roles import Right
from srs.siprec import operator
from srs.web import use
from srs.web.asker import Asker
from srs.web.pages import back, page, party, percent
from srs.web.visit import Visit, of_browser

EVERY_S: Final = 1.0
LONGEST: Final = 600
"""Times that a page is told before its browser asks again."""
WHO_EVERY: Final = 5
"""Times that it is told before it is looked again who asks."""
MOST: Final = 200
"""Calls on a page, the newest."""
RIGHTS_S: Final = 10.0
"""So long what somebody may do with a call is taken for known, to show it: what they do is looked at each time."""
MOST_KNOWN: Final = 20_000
GOOD, FAIR = 0.99, 0.95
"""Shares of packets that come."""
QUIET: Final = -60.0
"""Level that a page shows as nothing, dBov."""
STEP: Final = 3.0
"""What is louder or softer by less is not told, dB."""


def page_of_calls(visit: Visit) -> Response:
    names = sorted(purposes(visit.house.settings.purpose))
    known = {"purposes": names, "uses": use.choices(visit), "said": visit.purpose, "quiet": QUIET}
    calls = [json.loads(text) for text in cards(visit).values()]
    return page(visit, "live.html", 200, calls=calls, now=visit.now.timestamp(), **known)


def visible(asker: Asker) -> list[tuple[Call, frozenset[Right]]]:
    """The calls under way that somebody may know of, newest first, and what they may do with each."""
    found = ((call, _rights(asker, call)) for call in asker.house.board.calls())
    return [(call, rights) for call, rights in found if Right.LIST in rights][:MOST]


def _rights(asker: Asker, call: Call) -> frozenset[Right]:
    known, key = asker.house.known, (asker.person, call.row.id, call.row.purpose)
    until, rights = known.get(key, (0.0, frozenset()))
    if time.monotonic() < until:
        return rights
    wanted = (Right.LIST, Right.LISTEN, Right.CONTROL)
    rights = frozenset(right for right in wanted if asker.decide(right, call.row).allowed)
    if len(known) >= MOST_KNOWN:
        known.clear()
    known[key] = time.monotonic() + RIGHTS_S, rights
    return rights


# What pages show


def cards(visit: Visit) -> dict[str, str]:
    """What the visitor may know of is under way, newest first: the id of each call, and its card as JSON."""
    shown: dict[str, str] = {}
    is_said: dict[str | None, bool] = {}
    for call, rights in visible(visit):
        row = call.row
        hears = Right.LISTEN in rights and call.unheard is None
        if hears and row.purpose not in is_said:
            is_said[row.purpose] = use.is_said(visit, row)
        said = hears and is_said[row.purpose]
        names = ", ".join(visit.house.listeners.names(row.id))
        shown[row.id] = _card(call, names, said, hears and not said, Right.CONTROL in rights)
    return shown


@lru_cache(maxsize=5 * MOST)
def _card(call: Call, listeners: str, listen: bool, unsaid: bool, control: bool) -> str:
    """Made once for all who look and may the same."""
    row = call.row
    told = {
        "id": row.id,
        "caller": party(row.caller),
        "callee": party(row.callee),
        "since": row.started_at.timestamp(),
        "purpose": row.purpose or "",
        "paused": call.paused_at and call.paused_at.timestamp(),
        "listen": listen,
        "unsaid": unsaid,
        "control": control,
        "listeners": listeners,
        "legs": [_leg(leg) for leg in call.legs],
    }
    return json.dumps(told)


def _leg(leg: LegState) -> dict[str, Any]:
    came, level = leg.came, QUIET if leg.level_dbov is None else max(leg.level_dbov, QUIET)
    return {
        "party": leg.name or party(leg.party),
        "codec": leg.codec or "",
        "level": STEP * round(level / STEP),
        "came": "" if came is None else percent(came),
        "quality": "" if came is None else "good" if came >= GOOD else "fair" if came >= FAIR else "poor",
    }


async def events(visit: Visit) -> Response:
    """The calls as server-sent events, each second that something is different: which there are, and those that are."""
    return StreamingResponse(_events(visit), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _events(visit: Visit) -> AsyncIterator[str]:
    shown: dict[str, str] | None = None
    yield "retry: 2000\n\n"
    for turn in range(LONGEST):
        if turn % WHO_EVERY == 0:
            visit = await run_in_threadpool(of_browser, visit.house, visit.request)
        before, shown = shown, await run_in_threadpool(cards, visit)
        yield _news(before, shown)
        if visit.house.leaving.is_set():  # the browser asks the next process
            return
        await asyncio.sleep(EVERY_S)


def _news(before: Mapping[str, str] | None, shown: Mapping[str, str]) -> str:
    """
    Args:
        before: what the page shows; None: that is not known.
    """
    fresh = [text for id_, text in shown.items() if before is None or before.get(id_) != text]
    if not fresh and before is not None and before.keys() == shown.keys():
        return ": nothing new\n\n"
    return f'data: {{"now": {time.time()}, "ids": {json.dumps([*shown])}, "calls": [{", ".join(fresh)}]}}\n\n'


# Orders


def order(visit: Visit) -> Response:
    """Pause, resume or stop what is recorded of a call, or say what it is kept for."""
    steer(visit, visit.recording, visit.form.get("act", ""), visit.form.get("purpose") or None)
    return back("/live")


def steer(asker: Asker, row: Recording, act: str, purpose: str | None = None) -> None:
    """Have the recorder do something with a call; the audit has it first.

    Raises:
        Misuse: there is no such act or purpose.
        ControlError: the recorder did not do it.
    """
    if act not in operator.ACTS:
        raise Misuse(f"act must be one of {', '.join(operator.ACTS)}")
    if (act == operator.PURPOSE) != (purpose in purposes(asker.house.settings.purpose)):
        raise Misuse("a purpose is one of those in the settings, and goes with the act of that name")
    asker.write(act, f"recording:{row.id}", details={"purpose": purpose} if purpose else {})
    control.ask(asker.house.settings.data_dir, Order(act, row.id, asker.person.label, purpose))


def ask_stop(visit: Visit) -> Response:
    return page(visit, "stop.html", row=visit.recording)
