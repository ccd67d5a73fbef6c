"""Errors as RFC 9457 has them: a type that stays, a title, and what happened and what to do in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, cast

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from srs.archive.errors import ArchiveError, Held, NotReady, Sealed, UnreadableList
from srs.control import ControlError
from srs.handoff.errors import NoTask
from srs.live.listeners import TooMany
from srs.privacy.errors import Altered, Misuse, NoCase, NoSuchUser, Refused
from srs.privacy.purpose import WrongPurpose
from srs.web.asker import NotFound
from srs.web.cases import unnamed
from srs.web.edited import Overtaken

log = structlog.get_logger()

BASE: Final = "/api/v1/problems/"


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of error."""

    status: int
    title: str


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "malformed": Kind(400, "The request cannot be read"),
        "unauthenticated": Kind(401, "Say who you are: Authorization: Bearer, with a token that holds"),
        "forbidden": Kind(403, "The token, or the roles of its user, do not allow this"),
        "wrong-purpose": Kind(403, "The recording is kept for another purpose: say Purpose-Of-Use"),
        "not-found": Kind(404, "There is none, or none that you may know of"),
        "method-not-allowed": Kind(405, "This cannot be done with it"),
        "conflict": Kind(409, "What is asked for contradicts itself or what there is"),
        "held": Kind(409, "A legal hold forbids it: release it first"),
        "not-ready": Kind(409, "There is no sound, not yet or no more"),
        "sealed": Kind(409, "The key that would open the sound is not here"),
        "altered": Kind(409, "Evidence is not as it was stored"),
        "unfinished": Kind(409, "The first request with this Idempotency-Key has no answer: look what became of it"),
        "not-done": Kind(409, "The recorder did not do it: detail says why"),
        "changed": Kind(412, "It has changed since: get it again, then send the change with its new ETag"),
        "too-large": Kind(413, "The body is too large"),
        "no-such-range": Kind(416, "The sound has no such octets"),
        "invalid": Kind(422, "Something in the request is not as it must be: see errors"),
        "key-reused": Kind(409, "This Idempotency-Key was used for another request: take a new one"),
        "etag-needed": Kind(428, "Say If-Match with the ETag of what you are changing"),
        "too-many-requests": Kind(429, "Too many requests: wait as long as Retry-After says"),
        "defect": Kind(500, "The recorder has a defect: its log says more"),
        "unavailable": Kind(503, "Database or store do not answer: try again later"),
        "too-many-listeners": Kind(503, "Others listen in already, as many as can: try again later"),
    }
)
"""Every error there is; a name is never given to another one."""
_BY_STATUS: Final = {kind.status: name for name, kind in reversed([*KINDS.items()])}
_OF: Final[tuple[tuple[type[Exception], str], ...]] = (
    (NotFound, "not-found"),
    (NoSuchUser, "not-found"),
    (NoCase, "not-found"),
    (NoTask, "conflict"),
    (Refused, "forbidden"),
    (WrongPurpose, "wrong-purpose"),
    (Held, "held"),
    (NotReady, "not-ready"),
    (Sealed, "sealed"),
    (Overtaken, "changed"),
    (Misuse, "conflict"),
    (ControlError, "not-done"),
    (TooMany, "too-many-listeners"),
    (Altered, "altered"),
    (UnreadableList, "invalid"),
    (ArchiveError, "unavailable"),
)


class Wrong(BaseModel):
    """One thing that is not as it must be."""

    where: str = Field(examples=["query.limit"])
    detail: str


class Problem(BaseModel):
    """RFC 9457."""

    type: str = Field(examples=[BASE + "not-found"])
    title: str
    status: int
    detail: str | None = None
    errors: list[Wrong] | None = None


class Trouble(Exception):
    """A request that ends with a problem."""

    def __init__(
        self,
        name: str,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
        errors: list[Wrong] | None = None,
    ) -> None:
        super().__init__(detail or KINDS[name].title)
        self.name, self.detail, self.headers, self.errors = name, detail, headers, errors


def answer(
    name: str, detail: str | None = None, headers: Mapping[str, str] | None = None, errors: list[Wrong] | None = None
) -> JSONResponse:
    """The answer of an error."""
    kind = KINDS[name]
    said = Problem(type=BASE + name, title=kind.title, status=kind.status, detail=detail, errors=errors)
    content = said.model_dump(exclude_none=True)
    return JSONResponse(content, kind.status, dict(headers or {}), "application/problem+json")


def explained(error: Exception) -> JSONResponse:
    """The answer of an exception that there is a sort for."""
    if isinstance(error, Trouble):
        return answer(error.name, error.detail, error.headers, error.errors)
    name = next(name for kind, name in _OF if isinstance(error, kind))
    return answer(name, str(error) or None)


def explain(app: FastAPI) -> None:
    """Have every error of an application answered so."""
    app.add_exception_handler(Trouble, _known)
    for error, _ in _OF:
        app.add_exception_handler(error, _known)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _defect)


async def _known(_: Request, error: Exception) -> JSONResponse:
    return explained(error)


async def _http(request: Request, error: Exception) -> JSONResponse:
    failure = cast("HTTPException", error)
    headers = dict(failure.headers or {}) | ({"Allow": _allowed(request)} if failure.status_code == 405 else {})
    return answer(_BY_STATUS.get(failure.status_code, "malformed"), failure.detail, headers)


def _allowed(request: Request) -> str:
    """The methods of all routes of a path: the framework knows those of the first."""
    fitting = [route for route in request.app.state.routes if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in fitting for method in route.methods}))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    found: Any = cast("RequestValidationError", error).errors()
    wrong = [Wrong(where=".".join(map(str, each["loc"])), detail=each["msg"]) for each in found]
    return answer("invalid", errors=wrong)


async def _defect(request: Request, error: Exception) -> JSONResponse:
    log.error("request failed", path=unnamed(request.url.path), exc_info=error)
    return answer("defect")
