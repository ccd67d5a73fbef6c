"""Users, their roles and tokens; leave for single recordings."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from srs.archive.database import reading, writing
from srs.privacy import tokens, users
from srs.privacy.errors import Misuse, Refused
from srs.privacy.roles import Assignment, Right, Scope, assignment
from srs.privacy.tables import Token
from srs.privacy.tables import User as Row
from srs.web.api.caller import Caller, having
from srs.web.api.once import Once
from srs.web.api.words import Asked, Listed, Word
from srs.web.asker import Asker, NotFound

router = APIRouter(tags=["users"], route_class=Once)

Administrator = Annotated[Asker, having(Right.USERS)]
Name = Annotated[str, Path(max_length=200, description="Of the user.")]


class Role(BaseModel):
    """A role that somebody has."""

    model_config = ConfigDict(from_attributes=True)

    role: str
    scope: Scope
    groups: list[str]
    excluded: list[str]
    rights: list[Right]


def _roles(found: tuple[Assignment, ...]) -> list[Role]:
    return [
        Role(
            role=each.role,
            scope=each.scope,
            groups=list(each.groups),
            excluded=list(each.excluded),
            rights=sorted(each.rights),
        )
        for each in found
    ]


class User(BaseModel):
    name: str
    mail: str | None
    language: str
    extensions: list[str]
    disabled: bool
    second_factor: bool
    roles: list[Role]


def _user(row: Row, roles: tuple[Assignment, ...]) -> User:
    same = {name: getattr(row, name) for name in ("name", "mail", "language", "extensions", "disabled")}
    return User(**same, second_factor=row.totp_secret is not None, roles=_roles(roles))


class Me(BaseModel):
    """Who asks."""

    user: str
    token: str | None
    rights: list[Right]
    """The most that the token allows."""
    roles: list[Role]


@router.get("/me")
def me(caller: Caller) -> Me:
    """Whose token it is, and what it is for."""
    person = caller.person
    return Me(
        user=person.name, token=person.token, rights=sorted(person.limit or Right), roles=_roles(person.assignments)
    )


@router.get("/users")
def listed(caller: Administrator) -> Listed[User]:
    """All users, by name."""
    return Listed(items=[_user(row, roles) for row, roles in users.everybody(caller.house.engine)])


class NewUser(Asked):
    name: Annotated[Word, Field(min_length=1)]
    mail: Word | None = None
    language: Literal["en", "nl"] = "en"
    extensions: list[Word] = Field(default=[], max_length=100)


class Password(BaseModel):
    """Shown this once; it must be changed at the first sign-in."""

    name: str
    one_time_password: str


@router.post("/users", status_code=201)
def add(caller: Administrator, wanted: NewUser) -> Password:
    """Make a user without any role."""
    with writing(caller.house.engine) as session:
        user, password = users.add(session, wanted.name, caller.now, mail=wanted.mail, language=wanted.language)
        user.extensions = wanted.extensions
    caller.write("add user", f"user:{wanted.name}", details=wanted.model_dump())
    return Password(name=wanted.name, one_time_password=password)


@router.get("/users/{name}")
def one(caller: Administrator, name: Name) -> User:
    """One user."""
    with reading(caller.house.engine) as session:
        user = users.get(session, name)
        return _user(user, users.roles_of(session, user.id))


class UserChange(Asked):
    """What is not given stays."""

    mail: Word | None = None
    language: Literal["en", "nl"] | None = None
    extensions: Annotated[list[Word], Field(max_length=100)] | None = None
    disabled: Annotated[bool, Field(strict=True)] | None = None


@router.patch("/users/{name}")
def change(caller: Administrator, name: Name, wanted: UserChange) -> User:
    """Change a user, not oneself; who is disabled is signed out everywhere."""
    _not_oneself(caller, name)
    with writing(caller.house.engine) as session:
        user = users.get(session, name)
        user.mail = wanted.mail if "mail" in wanted.model_fields_set else user.mail
        user.language = wanted.language or user.language
        user.extensions = user.extensions if wanted.extensions is None else wanted.extensions
        if wanted.disabled is not None:
            users.disable(session, user, disabled=wanted.disabled)
    caller.write("change user", f"user:{name}", details=wanted.model_dump(exclude_unset=True))
    return one(caller, name)


@router.post("/users/{name}/password")
def password(caller: Administrator, name: Name) -> Password:
    """Make a new password; sessions end, locks are undone."""
    _not_oneself(caller, name)
    with writing(caller.house.engine) as session:
        fresh = users.set_one_time_password(session, users.get(session, name), caller.now)
    caller.write("password user", f"user:{name}")
    return Password(name=name, one_time_password=fresh)


class NewRole(Asked):
    """What is not said is as usual for the role."""

    scope: Scope | None = None
    groups: list[Word] = Field(default=[], max_length=100)
    excluded: list[Word] = Field(default=[], max_length=100)
    rights: list[Right] | None = None


RoleName = Annotated[str, Path(max_length=32)]


@router.put("/users/{name}/roles/{role}")
def give(caller: Administrator, name: Name, role: RoleName, wanted: NewRole) -> User:
    """Give a role, in place of the same role as it was; nobody changes their own."""
    _not_oneself(caller, name)
    if unknown := set(wanted.groups) - {group.name for group in caller.house.settings.group}:
        raise Misuse(f"there is no [[group]] {', '.join(sorted(unknown))}")
    given = assignment(role, wanted.scope, wanted.groups, wanted.excluded, wanted.rights)
    with writing(caller.house.engine) as session:
        users.give(session, users.get(session, name), given)
    caller.write("give user", f"user:{name}", details={"role": role, **wanted.model_dump()})
    return one(caller, name)


@router.delete("/users/{name}/roles/{role}")
def take(caller: Administrator, name: Name, role: RoleName) -> User:
    """Take a role away."""
    _not_oneself(caller, name)
    with writing(caller.house.engine) as session:
        users.take(session, users.get(session, name), role)
    caller.write("take user", f"user:{name}", details={"role": role})
    return one(caller, name)


def _not_oneself(caller: Asker, name: str) -> None:
    if name == caller.person.name:
        raise Refused("nobody changes their own roles: another administrator must do that")


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
    days: Annotated[int, Field(ge=1, le=366, strict=True)] = 90


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
    caller.write("add token", f"user:{name}", details={"token": wanted.name, **wanted.model_dump(include={"rights"})})
    return MadeToken(id=token.id, token=secret, expires_at=token.expires_at)


@router.delete("/tokens/{token}", status_code=204)
def revoke(caller: Administrator, token: Annotated[str, Path(max_length=32)]) -> None:
    """Make a token worthless."""
    with writing(caller.house.engine) as session:
        if session.get(Token, token) is None:
            raise NotFound
        gone = tokens.revoke(session, token)
    caller.write("revoke token", f"token:{gone.id}", details={"token": gone.name})
