"""Listening in to a call under way: the offer and the answer of WebRTC, and the right to it for as long as it lasts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from srs.archive.errors import NotReady
from srs.archive.tables import Recording
from srs.privacy.errors import Misuse, Refused
from srs.privacy.roles import Right
from srs.web.asker import Asker
from srs.web.visit import NotSignedIn, Visit, of_browser


async def begin(visit: Visit) -> Response:
    """The answer to the browser's offer."""

    def again() -> Asker | None:
        try:
            return of_browser(visit.house, visit.request)
        except NotSignedIn:
            return None

    answer = await answer_to(visit, visit.recording, visit.form.get("offer", ""), again, visit.purpose)
    return PlainTextResponse(answer, media_type="application/sdp")


async def answer_to(
    asker: Asker, row: Recording, offer: str, again: Callable[[], Asker | None], purpose: str | None
) -> str:
    """Let somebody listen; the audit has when they begin, and for how long they did.

    Args:
        offer: SDP.
        again: who asks, as they are known a while later; None: not any more.
        purpose: what they listen in for.

    Raises:
        NotReady: the call is over.
        Refused: nobody may hear it, or not who asks; that is in the audit.
        WrongPurpose: not for that; so is this.
        Misuse: the offer is none.
        TooMany: others listen already.
    """
    house, subject = asker.house, f"recording:{row.id}"
    await run_in_threadpool(_check, asker, row, purpose)
    await run_in_threadpool(asker.write, "listen", subject, reason=purpose)

    async def allowed() -> bool:
        return await run_in_threadpool(lambda: (now := again()) is not None and _may_still(now, row))

    async def ended(seconds: float) -> None:
        over = replace(asker, now=datetime.now(UTC))
        await run_in_threadpool(over.write, "stop listening", subject, details={"seconds": round(seconds, 1)})

    capture = house.settings.data_dir / "captures" / "open" / f"{row.id}.pcap"
    try:
        return await house.listeners.begin(capture, asker.person.name, offer, allowed, ended)
    except FileNotFoundError as error:
        raise NotReady("the call is over") from error
    except ValueError as error:
        raise Misuse(str(error)) from error


def _check(asker: Asker, row: Recording, purpose: str | None) -> None:
    """Whether the call may be heard for a purpose, with the one that it is kept for by now."""
    call = asker.house.board.call(row.id)
    if call is None:
        raise NotReady("the call is over")
    decision = asker.decide(Right.LISTEN, call.row)
    if why := call.unheard or (None if decision.allowed else decision.why):
        asker.write("listen", f"recording:{row.id}", allowed=False, details={"why": why})
        raise Refused(why)
    asker.require_use(call.row, purpose, "listen")


def _may_still(asker: Asker, row: Recording) -> bool:
    """Whether the call may still be heard by them."""
    call = asker.house.board.call(row.id)
    return call is not None and call.unheard is None and asker.decide(Right.LISTEN, call.row).allowed
