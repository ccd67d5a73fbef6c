"""What a page says when something cannot be done: in the language of whoever asked, with a way on."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast
from urllib.parse import urlencode, urlsplit

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from srs.archive.errors import ArchiveError, DatabaseError, Held, NotReady, Sealed, StoreError
from srs.control import ControlError
from srs.handoff.errors import NoTask
from srs.live.listeners import TooMany
from srs.privacy.errors import Altered, Misuse, NoCase, NoSuchUser, Refused
from srs.privacy.purpose import WrongPurpose
from srs.web.asker import NotFound
from srs.web.cases import unnamed
from srs.web.edited import Overtaken
from srs.web.language import Speaker
from srs.web.pages import page, plain
from srs.web.visit import NotSignedIn, Visit, language, of_browser

log = structlog.get_logger()

Handler = Callable[[Request, Exception], Awaitable[Response]]


async def _sign_in(request: Request, _: Exception) -> Response:
    if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
        say = Speaker(language(request))
        return PlainTextResponse(say("Sign in first."), 401)
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?{urlencode({'to': path})}", 303)


async def _http(request: Request, error: Exception) -> Response:
    failure = cast("HTTPException", error)
    answer = await _page(request, failure.status_code, "" if failure.status_code == 404 else failure.detail)
    answer.headers.update(failure.headers or {})
    return answer


async def _away(request: Request, error: Exception) -> Response:
    """Where the database or the store is, is for the log alone."""
    log.error("no page without database and store", path=unnamed(request.url.path), reason=str(error))
    return await _page(request, 503)


async def _defect(request: Request, error: Exception) -> Response:
    log.error("page failed", path=unnamed(request.url.path), exc_info=error)
    return await _page(request, 500)


def _answered(status: int) -> Handler:
    async def answer(request: Request, error: Exception) -> Response:
        return await _page(request, status, "" if status == 404 else str(error))

    return answer


_STATUS: Final[Mapping[type[Exception], int]] = {
    NotFound: 404,
    NoCase: 404,
    NoSuchUser: 404,
    Refused: 403,
    WrongPurpose: 403,
    Held: 409,
    NotReady: 409,
    Sealed: 409,
    Altered: 409,
    NoTask: 409,
    Overtaken: 409,
    ControlError: 409,
    Misuse: 400,
    TooMany: 503,
    ArchiveError: 503,
}
HANDLERS: Final[Mapping[Any, Handler]] = {
    **{kind: _answered(status) for kind, status in _STATUS.items()},
    DatabaseError: _away,
    StoreError: _away,
    NotSignedIn: _sign_in,
    HTTPException: _http,
    Exception: _defect,
}
"""By the type of the error."""


async def _page(request: Request, status: int, why: str = "") -> Response:
    return await run_in_threadpool(_made, request, status, why)


def _made(request: Request, status: int, why: str) -> Response:
    visit = None if status == 503 else _visit(request)  # nobody is known without the database
    say = visit.say if visit else Speaker(language(request))
    if request.headers.get("accept") == "text/plain":  # a script of ours, which says it in its own place
        return PlainTextResponse(say.explain(why) or str(status), status)
    known = {"status": status, "why": say.explain(why), "before": _before(request)}
    if visit:
        return page(visit, "error.html", status, **known)
    return plain(say, "error.html", status, **known)


def _visit(request: Request) -> Visit | None:
    try:
        return getattr(request.state, "visit", None) or of_browser(request.app.state.house, request)
    except (NotSignedIn, ArchiveError):
        return None


def _before(request: Request) -> str | None:
    """The page of ours that the visitor came from."""
    parts = urlsplit(request.headers.get("referer", ""))
    ours = parts.netloc == request.url.netloc and (request.method != "GET" or parts.path != request.url.path)
    return parts.path + (f"?{parts.query}" if parts.query else "") if ours and parts.path.startswith("/") else None
