"""From a path to what answers it: a table, in which no page lacks a right."""

import inspect
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import cast

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from srs.privacy.roles import Needed
from srs.web.house import House
from srs.web.visit import Visit, of_browser

Answer = Callable[[Visit], Response] | Callable[[Visit], Awaitable[Response]]
PASSWORD = "/account/password"
SECOND_FACTOR = "/account/second-factor"


@dataclass(frozen=True)
class Page:
    """What answers a path."""

    path: str
    """With `{id}`, the recording of that id is found and rights are on it."""
    answer: Answer
    right: Needed | None
    """That the visitor needs, or one of which; None: it is enough to be signed in (and to know of the recording)."""
    method: str = "GET"
    new_password_first: bool = True
    """Not for somebody whose password was made by another."""
    upload: bool = False
    """Takes a file."""
    second_factor_first: bool = True
    """Not for somebody whose role needs a second factor that is not there yet."""


def route(house: House, page: Page) -> Route:
    async def endpoint(request: Request) -> Response:
        visit = request.state.visit = await run_in_threadpool(of_browser, house, request)
        if first := _first(visit, page):
            return RedirectResponse(first, 303)
        async with AsyncExitStack() as stack:
            if page.method == "POST":
                form = await stack.enter_async_context(request.form(max_files=int(page.upload), max_fields=200))
                visit = _with_form(visit, form)
            visit = await run_in_threadpool(visit.about, page.right)
            if inspect.iscoroutinefunction(page.answer):
                return cast("Response", await page.answer(visit))
            return await run_in_threadpool(cast("Callable[[Visit], Response]", page.answer), visit)

    return Route(page.path, endpoint, methods=[page.method], name=f"{page.method} {page.path}")


def _first(visit: Visit, page: Page) -> str | None:
    """What the visitor must do before."""
    if visit.user.must_change:
        return PASSWORD if page.new_password_first else None
    return SECOND_FACTOR if page.second_factor_first and visit.lacks_second_factor else None


def _with_form(visit: Visit, form: FormData) -> Visit:
    texts = {name: value.replace("\0", "") for name, value in form.items() if isinstance(value, str)}
    files = [value for value in form.values() if isinstance(value, UploadFile)]
    return replace(visit, form=texts, upload=files[0] if files else None)
