"""Calls under way, as they come and go."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from srs.archive import catalogue
from srs.archive.catalogue import Filter
from srs.archive.tables import Recording, State
from srs.privacy.roles import Right
from srs.web.pages import clock, moment, page, party
from srs.web.visit import Visit, of_browser

EVERY_S: Final = 1.0
LONGEST: Final = 600
"""Times that a page is told before its browser asks again, and its right is looked at again."""


def page_of_calls(visit: Visit) -> Response:
    return page(visit, "live.html", calls=calls(visit))


def calls(visit: Visit) -> list[dict[str, Any]]:
    """What the visitor may know of is under way, newest first."""
    house = visit.house
    under_way = catalogue.entries(house.engine, house.settings.data_dir, Filter(State.RECORDING, sight=visit.sight()))
    return [_call(visit, row) for row in under_way]


def _call(visit: Visit, row: Recording) -> dict[str, Any]:
    duration_s = max(0.0, (visit.now - row.started_at).total_seconds())
    return {
        "id": row.id,
        "caller": party(row.caller),
        "callee": party(row.callee),
        "names": " → ".join(leg.name or party(leg.aor) for leg in row.legs),
        "started": moment(row.started_at),
        "length": clock(duration_s),
        "listen": visit.may(Right.LISTEN, row),
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
