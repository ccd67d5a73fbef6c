"""Searches that users keep for the page of recordings."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from srs.web.api.caller import Caller
from srs.web.api.words import Asked, Listed, Word
from srs.web.recordings import forget_search, keep_search, saved_searches

router = APIRouter(prefix="/searches", tags=["recordings"])

Name = Annotated[Word, Path(min_length=1, max_length=80)]


class Query(Asked):
    query: Annotated[Word, Field(max_length=2000, description="As in the address of the page of recordings.")]


class Saved(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    query: str


@router.get("")
def listed(caller: Caller) -> Listed[Saved]:
    """The caller's own, by name."""
    return Listed(items=[Saved.model_validate(each) for each in saved_searches(caller)])


@router.put("/{name}")
def keep(caller: Caller, name: Name, wanted: Query) -> Saved:
    """Keep one, in place of another one of that name."""
    keep_search(caller, name, wanted.query)
    return Saved(name=name, query=wanted.query)


@router.delete("/{name}", status_code=204)
def forget(caller: Caller, name: Name) -> None:
    """Remove one; a second time does no harm."""
    forget_search(caller, name)
