"""Calls under way, as they come and go, and what can be done with them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import datetime
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
from srs.web.pages import back, clock, page, party, percent
from srs.web.visit import Visit, of_browser

EVERY_S: Final = 1.0
LONGEST: Final = 600
"""Times that a page is told before its browser asks again."""
MOST: Final = 200
"""Calls on a page, the newest."""
RIGHTS_S: Final = 10.0
"""So long what somebody may do with a call is taken for known, to show it: what they do is looked at each time."""
MOST_KNOWN: Final = 20_000
GOOD, FAIR = 0.99, 0.95
"""Shares of packets that come."""
QUIET: Final = -60.0
"""Level that a page shows as nothing, dBov."""


def page_of_calls(visit: Visit) -> Response:
    names = sorted(purposes(visit.house.settings.purpose))
    uses = use.choices(visit)
    return page(visit, "live.html", calls=calls(visit), purposes=names, uses=uses, said=visit.purpose, quiet=QUIET)


def calls(visit: Visit) -> list[dict[str, Any]]:
    """What the visitor may know of is under way, as the page shows it."""
    return [_told(visit, call, rights) for call, rights in visible(visit)]


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


def _told(visit: Visit, call: Call, rights: frozenset[Right]) -> dict[str, Any]:
    row = call.row
    hears = Right.LISTEN in rights and call.unheard is None
    is_said = use.is_said(visit, row)
    return {
        "id": row.id,
        "caller": party(row.caller),
        "callee": party(row.callee),
        "length": clock(_since(row.started_at, visit.now)),
        "purpose": row.purpose or "",
        "paused": "" if call.paused_at is None else clock(_since(call.paused_at, visit.now)),
        "listen": hears and is_said,
        "unsaid": hears and not is_said,
        "control": Right.CONTROL in rights,
        "listeners": ", ".join(visit.house.listeners.names(row.id)),
        "legs": [_leg(leg) for leg in call.legs],
    }


def _since(moment: datetime, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds())


def _leg(leg: LegState) -> dict[str, Any]:
    came = leg.came
    return {
        "party": leg.name or party(leg.party),
        "codec": leg.codec or "",
        "level": QUIET if leg.level_dbov is None else max(leg.level_dbov, QUIET),
        "came": "" if came is None else percent(came),
        "quality": "" if came is None else "good" if came >= GOOD else "fair" if came >= FAIR else "poor",
    }


async def events(visit: Visit) -> Response:
    """The calls, once a second, as server-sent events; only what changed is sent."""
    return StreamingResponse(_events(visit), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _events(visit: Visit) -> AsyncIterator[str]:
    said = ""
    yield "retry: 2000\n\n"
    for _ in range(LONGEST):
        visit = await run_in_threadpool(of_browser, visit.house, visit.request)
        now = json.dumps(await run_in_threadpool(calls, visit))
        yield f"data: {now}\n\n" if now != said else ": nothing new\n\n"
        said = now
        await asyncio.sleep(EVERY_S)


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
