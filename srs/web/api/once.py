"""POSTs that are carried out once, however often they are sent: Idempotency-Key.

The answer of the first is kept for a day and given again. It is sealed with what only the program knows, its token and
its key: answers can hold secrets, of which the database has none.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.fernet import Fernet
from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from sqlalchemy import Engine
from sqlmodel import col, delete
from starlette.concurrency import run_in_threadpool

from srs.archive.database import writing
from srs.web.api.caller import caller_of, secret_of
from srs.web.api.problems import Trouble
from srs.web.tables import Answered

KEPT: Final = timedelta(hours=24)
HEADER: Final = "Idempotency-Key"
KEY: Final = re.compile(r"[!-~]{1,255}")


class Once(APIRoute):
    """A path whose POSTs may have a key."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def once(request: Request) -> Response:
            key = request.headers.get(HEADER)
            if request.method != "POST" or key is None:
                return await handle(request)
            if not KEY.fullmatch(key):
                raise Trouble("invalid", f"{HEADER} has 1 to 255 characters, all of them visible ASCII")
            engine = (await run_in_threadpool(caller_of, request)).house.engine
            claim = Claim(engine, secret_of(request), key)
            body = await request.body()
            asked = hashlib.sha256(f"{request.method} {request.url}\n".encode() + body).hexdigest()
            if before := await run_in_threadpool(claim.take, asked, datetime.now(UTC)):
                return before
            try:
                answer = await handle(request)
            except Exception:  # not where it was cancelled: then nobody knows how far it came
                await run_in_threadpool(claim.give_back)
                raise
            await run_in_threadpool(claim.keep, answer)
            return answer

        return once


class Claim:
    """One key of one token."""

    def __init__(self, engine: Engine, token: str, key: str) -> None:
        self._engine = engine
        self._id = hashlib.sha256(f"id\n{token}\n{key}".encode()).hexdigest()
        self._seal = Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"seal\n{token}\n{key}".encode()).digest()))

    def take(self, asked: str, now: datetime) -> Response | None:
        """
        Args:
            asked: digest of the request.

        Returns:
            The answer it got before; None: it is the first, and to be carried out.

        Raises:
            Trouble: the key was used for another request, or has no answer yet.
        """
        with writing(self._engine) as session:
            session.execute(delete(Answered).where(col(Answered.at) < now - KEPT))
            row = session.get(Answered, self._id)
            if row is None:
                session.add(Answered(id=self._id, asked=asked, at=now))
                return None
        if row.asked != asked:
            raise Trouble("key-reused")
        if row.answer is None:
            raise Trouble("unfinished")
        status, content = json.loads(self._seal.decrypt(row.answer.encode()))
        return JSONResponse(content, status, {"Idempotent-Replayed": "true"})

    def keep(self, answer: Response) -> None:
        """Keep the answer, if it is one of JSON; a file is made again."""
        if not answer.headers.get("content-type", "").startswith("application/json"):
            self.give_back()
            return
        content = json.dumps([answer.status_code, json.loads(bytes(answer.body))])
        with writing(self._engine) as session:
            if row := session.get(Answered, self._id):
                row.answer = self._seal.encrypt(content.encode()).decode()

    def give_back(self) -> None:
        """Nothing was done: the key may be used again."""
        with writing(self._engine) as session:
            session.execute(delete(Answered).where(col(Answered.id) == self._id))
