"""Tokens of programs, and whoever asks with one."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from srs.archive.database import reading, writing
from srs.privacy import tokens, users
from srs.privacy.errors import Refused
from srs.privacy.roles import Right
from srs.privacy.tables import Token, User
from srs.web import programs
from srs.web.api.caller import Caller
from srs.web.api.once import Once
from srs.web.api.people import Administrator, Name, Role, roles_told
from srs.web.api.words import WHOLE, Asked, Listed, Word
from srs.web.asker import NotFound

router = APIRouter(tags=["users"], route_class=Once)


class Me(BaseModel):
    """Who asks."""

    user: str
    language: str
    token: str | None
    rights: list[Right]
    """The most that the token allows."""
    roles: list[Role]


@router.get("/me")
def me(caller: Caller) -> Me:
    """Whose token it is, and what it is for."""
    person = caller.person
    with reading(caller.house.engine) as session:
        language = session.get_one(User, person.id).language
    rights, roles = sorted(person.limit or Right), roles_told(person.assignments)
    return Me(user=person.name, language=language, token=person.token, rights=rights, roles=roles)


class MyChange(Asked):
    language: Literal["en", "nl"]


@router.patch("/me")
def change(caller: Caller, wanted: MyChange) -> Me:
    """In which language the pages and mails speak to the user. Passwords and second factors are changed by people."""
    with writing(caller.house.engine) as session:
        session.get_one(User, caller.person.id).language = wanted.language
    return me(caller)


class TokenInfo(BaseModel):
    """A token; what the program says is not kept."""

    id: str
    user: str
    name: str
    rights: list[Right]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


def _token(row: Token, user: str) -> TokenInfo:
    same = {name: getattr(row, name) for name in ("id", "name", "rights", "created_at", "expires_at", "used_at")}
    return TokenInfo(user=user, **same)


@router.get("/tokens")
def issued(caller: Administrator) -> Listed[TokenInfo]:
    """All tokens, by user."""
    return Listed(items=[_token(token, user.name) for token, user in tokens.issued(caller.house.engine)])


class NewToken(Asked):
    name: Annotated[Word, Field(min_length=1, description="What it is for.")]
    rights: Annotated[list[Right], Field(min_length=1, description="The most that it allows.")]
    days: Annotated[int, Field(ge=1, le=366), WHOLE] = 90


class MadeToken(BaseModel):
    """Shown this once."""

    id: str
    token: str
    expires_at: datetime


@router.post("/users/{name}/tokens", status_code=201)
def issue(caller: Administrator, name: Name, wanted: NewToken) -> MadeToken:
    """Make a token for a program that acts for a user; it allows no more than the token that makes it."""
    beyond = set(wanted.rights) - set(caller.person.limit or Right)
    if beyond:
        raise Refused(f"this token is not for {', '.join(sorted(beyond))} and makes none that is")
    with writing(caller.house.engine) as session:
        user, period = users.get(session, name), timedelta(days=wanted.days)
        token, secret = tokens.issue(session, user, wanted.name, wanted.rights, caller.now, period)
        caller.write(
            "add token",
            f"user:{name}",
            details={"token": wanted.name, **wanted.model_dump(include={"rights"})},
            within=session,
        )
    return MadeToken(id=token.id, token=secret, expires_at=token.expires_at)


@router.delete("/tokens/{token}", status_code=204)
def revoke(caller: Administrator, token: str) -> None:
    """Make a token worthless."""
    with writing(caller.house.engine) as session:
        if session.get(Token, token) is None:
            raise NotFound
        gone = tokens.revoke(session, token)
        caller.write("revoke token", f"token:{gone.id}", details={"token": gone.name}, within=session)


@router.get("/me/tokens")
def own(caller: Caller) -> Listed[TokenInfo]:
    """Those of the user who asks."""
    return Listed(items=[_token(token, caller.person.name) for token in programs.own(caller)])


@router.post("/me/tokens", status_code=201)
def issue_own(caller: Caller, wanted: NewToken) -> MadeToken:
    """Make a token for another program that acts for the same user; it allows no more than the one that makes it."""
    token, secret = programs.issue(caller, wanted.name, wanted.rights, wanted.days)
    return MadeToken(id=token.id, token=secret, expires_at=token.expires_at)


@router.delete("/me/tokens/{token}", status_code=204)
def give_up(caller: Caller, token: str) -> None:
    """Make one of one's own worthless."""
    programs.give_up(caller, token)
