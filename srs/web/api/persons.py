"""What those who were recorded may ask for: access, erasure, restriction."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import select

from srs.privacy.person import recordings_of
from srs.privacy.request import RightsRequest
from srs.privacy.roles import Right
from srs.web.api.caller import having
from srs.web.api.described import Recording, described
from srs.web.api.once import Once
from srs.web.api.paging import newest
from srs.web.api.words import Asked, Cursor, Limit, Listed, Reason
from srs.web.asker import Asker
from srs.web.desk import accessed, desk_of

router = APIRouter(prefix="/persons", tags=["persons who were recorded"], route_class=Once)

Officer = Annotated[Asker, having(Right.REQUESTS)]
Somebody = Annotated[Reason, Field(description="Number, address or name of somebody.", max_length=200)]


class Person(Asked):
    person: Somebody


@router.get("/recordings")
def recordings(caller: Officer, person: Annotated[Somebody, Query()]) -> Listed[Recording]:
    """Every recording of somebody, also those whose sound is gone."""
    caller.write("find person", f"person:{person}")
    return Listed(items=[described(row) for row in recordings_of(caller.house.engine, person)])


class Carried(BaseModel):
    """What somebody asked for, and got."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: datetime
    kind: str
    person: str
    by: str
    recordings: dict[str, Any]
    """What became of each."""


@router.get("/requests")
def requests(caller: Officer, cursor: Cursor = None, limit: Limit = 50) -> Listed[Carried]:
    """What was asked for before, newest first."""
    found, older = newest(caller.house.engine, select(RightsRequest), "id", cursor, limit)
    return Listed(items=[Carried.model_validate(each) for each in found], next=older)


@router.post(
    "/access",
    response_class=Response,
    responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
def access(caller: Officer, wanted: Person) -> Response:
    """What somebody said in every call, the other parties silenced, and what is known of each call: a ZIP."""
    return accessed(caller, wanted.person)


class Receipt(BaseModel):
    """For the person: what became of each recording and of every copy that is known."""

    class Result(BaseModel):
        id: str
        result: str
        copies: list[dict[str, Any]]

    person: str
    at: str
    by: str
    recordings: list[Result]


@router.post("/erasure")
def erase(caller: Officer, wanted: Person) -> Receipt:
    """Erase every recording of somebody; what is under legal hold stays and is named."""
    desk = desk_of(caller)
    results = desk.erase(wanted.person, caller.now)
    return Receipt.model_validate(desk.receipt(wanted.person, results, caller.now))


class Restriction(Person):
    held: Annotated[bool, Field(strict=True, description="False ends it.")] = True


class Results(BaseModel):
    recordings: dict[str, str]
    """What became of each, by id."""


@router.post("/restriction")
def restrict(caller: Officer, wanted: Restriction) -> Results:
    """Hold every recording of somebody, or let go."""
    return Results(recordings=desk_of(caller).restrict(wanted.person, caller.now, held=wanted.held))
