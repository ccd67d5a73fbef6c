"""For load balancers and watchdogs; tells nothing that anybody could use."""

import secrets
from typing import Final

from sqlalchemy import text
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from srs.archive.database import reading
from srs.archive.errors import ArchiveError
from srs.web.house import House

PROCESS: Final = secrets.token_hex(8)
"""Another one when the process was replaced."""


async def alive(_: Request) -> Response:
    """This process answers."""
    return PlainTextResponse("ok", headers={"X-Process": PROCESS})


class Ready:
    """Database and store answer."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ready = await run_in_threadpool(self._ready)
        answer = PlainTextResponse("ok" if ready else "not ready", 200 if ready else 503)
        await answer(scope, receive, send)

    def _ready(self) -> bool:
        try:
            with reading(self._house.engine) as session:
                session.execute(text("SELECT 1"))
            self._house.store.size("none")
        except ArchiveError:
            return False
        return True
