"""Listening in to a call under way: the offer and the answer of WebRTC, and the right to it for as long as it lasts."""

from dataclasses import replace
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from srs.archive.errors import NotReady
from srs.privacy.errors import Misuse, Refused
from srs.privacy.roles import Right
from srs.web.visit import NotSignedIn, Visit, of_browser


async def begin(visit: Visit) -> Response:
    """The answer to the browser's offer; the audit has when somebody begins to listen, and for how long they did."""
    house, recording = visit.house, visit.recording.id
    await run_in_threadpool(_check, visit)
    await run_in_threadpool(visit.note, "listen")

    async def allowed() -> bool:
        return await run_in_threadpool(_may_still, visit)

    async def ended(seconds: float) -> None:
        over = replace(visit, now=datetime.now(UTC))
        await run_in_threadpool(over.note, "stop listening", details={"seconds": round(seconds, 1)})

    capture = house.settings.data_dir / "captures" / "open" / f"{recording}.pcap"
    try:
        answer = await house.listeners.begin(capture, visit.user.name, visit.form.get("offer", ""), allowed, ended)
    except FileNotFoundError as error:
        raise NotReady("the call is over") from error
    except ValueError as error:
        raise Misuse(str(error)) from error
    return PlainTextResponse(answer, media_type="application/sdp")


def _check(visit: Visit) -> None:
    """Whether the call may be heard, with the purpose that it has by now.

    Raises:
        NotReady: it is over.
        Refused: nobody may hear it, or not the visitor; that is in the audit.
    """
    call = visit.house.board.call(visit.recording.id)
    if call is None:
        raise NotReady("the call is over")
    decision = visit.decide(Right.LISTEN, call.row)
    if why := call.unheard or (None if decision.allowed else decision.why):
        visit.note("listen", allowed=False, details={"why": why})
        raise Refused(why)


def _may_still(visit: Visit) -> bool:
    """Whether whoever listens is still signed in, and the call may still be heard by them."""
    try:
        now = of_browser(visit.house, visit.request)
    except NotSignedIn:
        return False
    call = visit.house.board.call(visit.recording.id)
    return call is not None and call.unheard is None and now.decide(Right.LISTEN, call.row).allowed
