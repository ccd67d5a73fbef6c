"""Users and their roles."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from srs.archive.database import reading, writing
from srs.privacy import second_factor, users
from srs.privacy.errors import Misuse, Refused
from srs.privacy.roles import Assignment, Right, Scope, assignment
from srs.privacy.tables import User as Row
from srs.web.api.caller import having
from srs.web.api.once import Once
from srs.web.api.words import Asked, Listed, Word
from srs.web.asker import Asker

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


def roles_told(found: tuple[Assignment, ...]) -> list[Role]:
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
    return User(**same, second_factor=row.totp_secret is not None, roles=roles_told(roles))


@router.get("/users")
def listed(caller: Administrator) -> Listed[User]:
    """All users, by name."""
    return Listed(items=[_user(row, roles) for row, roles in users.everybody(caller.house.engine)])


class NewUser(Asked):
    name: Annotated[Word, Field(min_length=1)]
    mail: Word | None = None
    language: Literal["en", "nl"] = "en"
    extensions: list[Word] = Field(default=[], max_length=100)
    oidc: Annotated[bool, Field(strict=True, description="Signs in by the OpenID provider: gets no password.")] = False


class Password(BaseModel):
    """Shown this once; it must be changed at the first sign-in."""

    name: str
    one_time_password: str | None


def _lifetime(caller: Asker) -> timedelta:
    return timedelta(hours=caller.house.settings.access.one_time_hours)


@router.post("/users", status_code=201)
def add(caller: Administrator, wanted: NewUser) -> Password:
    """Make a user without any role."""
    name, now = wanted.name, caller.now
    with writing(caller.house.engine) as session:
        user = users.add_without_password(session, name, now, mail=wanted.mail, language=wanted.language)
        user.extensions = wanted.extensions
        password = None if wanted.oidc else users.set_one_time_password(session, user, now, _lifetime(caller))
        caller.write("add user", f"user:{name}", details=wanted.model_dump(), within=session)
    return Password(name=name, one_time_password=password)


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
        caller.write("change user", f"user:{name}", details=wanted.model_dump(exclude_unset=True), within=session)
    return one(caller, name)


@router.post("/users/{name}/password")
def password(caller: Administrator, name: Name) -> Password:
    """Make a new password; sessions end, locks are undone."""
    _not_oneself(caller, name)
    with writing(caller.house.engine) as session:
        fresh = users.set_one_time_password(session, users.get(session, name), caller.now, _lifetime(caller))
        caller.write("password user", f"user:{name}", within=session)
    return Password(name=name, one_time_password=fresh)


@router.delete("/users/{name}/second-factor", status_code=204)
def drop_second_factor(caller: Administrator, name: Name) -> None:
    """Take the second factor of somebody away who has lost it; a role that wants one has them set up another."""
    _not_oneself(caller, name)
    with writing(caller.house.engine) as session:
        second_factor.drop(session, users.get(session, name))
        caller.write("second factor user", f"user:{name}", within=session)


class NewRole(Asked):
    """What is not said is as usual for the role."""

    scope: Scope | None = None
    groups: list[Word] = Field(default=[], max_length=100)
    excluded: list[Word] = Field(default=[], max_length=100)
    rights: list[Right] | None = None


RoleName = Annotated[str, Path()]


@router.put("/users/{name}/roles/{role}")
def give(caller: Administrator, name: Name, role: RoleName, wanted: NewRole) -> User:
    """Give a role, in place of the same role as it was; nobody changes their own."""
    _not_oneself(caller, name)
    if unknown := set(wanted.groups) - {group.name for group in caller.house.settings.group}:
        raise Misuse(f"there is no [[group]] {', '.join(sorted(unknown))}")
    given = assignment(role, wanted.scope, wanted.groups, wanted.excluded, wanted.rights)
    with writing(caller.house.engine) as session:
        users.give(session, users.get(session, name), given)
        caller.write("give user", f"user:{name}", details={"role": role, **wanted.model_dump()}, within=session)
    return one(caller, name)


@router.delete("/users/{name}/roles/{role}")
def take(caller: Administrator, name: Name, role: RoleName) -> User:
    """Take a role away."""
    _not_oneself(caller, name)
    with writing(caller.house.engine) as session:
        users.take(session, users.get(session, name), role)
        caller.write("take user", f"user:{name}", details={"role": role}, within=session)
    return one(caller, name)


def _not_oneself(caller: Asker, name: str) -> None:
    if name == caller.person.name:
        raise Refused("nobody changes their own roles: another administrator must do that")
