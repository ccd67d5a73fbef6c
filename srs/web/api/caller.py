"""Who asks: a program with a token of a user; and what the paths of the API ask before they answer."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from fastapi import Depends, Header, Path, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from srs.archive.tables import Recording
from srs.privacy import tokens
from srs.privacy.roles import Needed, Right
from srs.web.api.problems import Trouble
from srs.web.api.words import Word
from srs.web.asker import Asker
from srs.web.house import House
from srs.web.visit import origin

_BEARER = HTTPBearer(auto_error=False, description="A token of `srs tokens add` or of POST /users/{name}/tokens.")


def secret_of(request: Request) -> str:
    """What the program says to be let in."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


def identified(house: House, request: Request) -> Asker:
    """Whose token it is.

    Raises:
        Trouble: it is nobody's, or nobody's any more.
    """
    now = datetime.now(UTC)
    person = tokens.of_token(house.engine, secret_of(request), now)
    if person is None:
        raise Trouble("unauthenticated", headers={"WWW-Authenticate": "Bearer"})
    return Asker(house, person, origin(request), now)


def caller_of(request: Request) -> Asker:
    """The same of a request to the API; looked at once.

    Raises:
        Trouble: as `identified`.
    """
    found: Asker | None = getattr(request.state, "caller", None)
    if found is None:
        found = request.state.caller = identified(cast("House", request.app.state.house), request)
    return found


def _caller(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]) -> Asker:
    return caller_of(request)


Caller = Annotated[Asker, Depends(_caller)]
"""Anybody with a token."""


def having(right: Needed) -> Any:  # noqa: ANN401 - what FastAPI calls a dependency
    """A caller who has a right of the house; for `list`, whose token is for it."""

    def allowed(caller: Caller) -> Asker:
        if right != Right.LIST:
            caller.require(right)
        elif caller.person.limit is not None and right not in caller.person.limit:
            raise Trouble("forbidden", f"the token is not for {right}")
        return caller

    return Depends(allowed)


@dataclass(frozen=True)
class About:
    """A recording, and who may do with it what they ask for."""

    caller: Asker
    row: Recording

    def note(self, action: str, reason: str | None = None, **details: object) -> None:
        """Write what is done into the audit."""
        self.caller.write(action, f"recording:{self.row.id}", reason=reason, details=details)

    def check_use(self, purpose: str | None, action: str) -> None:
        """
        Raises:
            WrongPurpose: it is kept for another purpose; that is in the audit.
        """
        self.caller.require_use(self.row, purpose, action)


Id = Annotated[str, Path(max_length=64, description="Of a recording, whole.")]


def about(right: Right = Right.LIST) -> Any:  # noqa: ANN401
    """A recording that the caller knows of and has a right on."""

    def found(id: Id, caller: Annotated[Asker, having(Right.LIST)]) -> About:  # noqa: A002 - as the path has it
        row = caller.find(id)
        caller.require(right, row)
        return About(caller, row)

    return Depends(found)


def _purpose(
    purpose_of_use: Annotated[Word | None, Header(description="What the recording is wanted for.")] = None,
    purpose: Annotated[Word | None, Query(description="The same, where no header can be set.")] = None,
) -> str | None:
    return purpose_of_use or purpose


PurposeOfUse = Annotated[str | None, Depends(_purpose)]
