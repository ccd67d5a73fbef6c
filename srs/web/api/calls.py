"""Calls under way: seen, steered, heard."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from srs.archive.errors import NotReady
from srs.live import board
from srs.privacy.roles import Right
from srs.siprec import operator
from srs.web.api.caller import About, PurposeOfUse, about, having, identified
from srs.web.api.once import Once
from srs.web.api.problems import Trouble
from srs.web.api.words import Asked, Listed, Word
from srs.web.asker import Asker
from srs.web.listen import answer_to
from srs.web.live import steer, visible

router = APIRouter(prefix="/calls", tags=["calls under way"], route_class=Once)


class Leg(BaseModel):
    """A party's stream."""

    model_config = ConfigDict(from_attributes=True)

    party: str | None
    name: str | None
    codec: str | None
    level_dbov: float | None = Field(description="Of the last half second; null: silence.")
    came: float | None = Field(description="Share of the packets of the last seconds that came; null: there were none.")


class Call(BaseModel):
    """A call that is being recorded; its recording will have the same id."""

    id: str
    started_at: datetime
    duration_s: float
    caller: str | None
    callee: str | None
    purpose: str | None
    paused_at: datetime | None = Field(description="Since when nothing is kept, because somebody paused it.")
    legs: list[Leg]
    listeners: list[str]
    """Who listens in."""
    listen: bool
    """Whether the caller of the API may."""
    control: bool
    """Whether they may pause, stop and give a purpose."""


def _call(caller: Asker, call: board.Call, rights: frozenset[Right]) -> Call:
    row = call.row
    return Call(
        id=row.id,
        started_at=row.started_at,
        duration_s=max(0.0, (caller.now - row.started_at).total_seconds()),
        caller=row.caller,
        callee=row.callee,
        purpose=row.purpose,
        paused_at=call.paused_at,
        legs=[Leg.model_validate(leg) for leg in call.legs],
        listeners=caller.house.listeners.names(row.id),
        listen=Right.LISTEN in rights and call.unheard is None,
        control=Right.CONTROL in rights,
    )


@router.get("")
def under_way(caller: Annotated[Asker, having(Right.LIST)]) -> Listed[Call]:
    """What is being recorded now, newest first, the newest 200."""
    return Listed(items=[_call(caller, call, rights) for call, rights in visible(caller)])


@router.get("/{id}")
def one(found: Annotated[About, about()]) -> Call:
    """One call under way."""
    for call, rights in visible(found.caller):
        if call.row.id == found.row.id:
            return _call(found.caller, call, rights)
    raise NotReady("the call is over")


Steered = Annotated[About, about(Right.CONTROL)]


@router.post("/{id}/pause", status_code=204)
def pause(found: Steered) -> None:
    """From here on nothing of the call is kept; once more it does no harm."""
    steer(found.caller, found.row, operator.PAUSE)


@router.post("/{id}/resume", status_code=204)
def resume(found: Steered) -> None:
    """Keep it again."""
    steer(found.caller, found.row, operator.RESUME)


@router.post("/{id}/stop", status_code=204)
def stop(found: Steered) -> None:
    """End the recording; the call itself goes on."""
    steer(found.caller, found.row, operator.STOP)


class Purpose(Asked):
    purpose: Word = Field(description="One of GET /purposes.")


@router.put("/{id}/purpose", status_code=204)
def give_purpose(found: Steered, wanted: Purpose) -> None:
    """Say what the call is kept for, whatever the rules say."""
    steer(found.caller, found.row, operator.PURPOSE, wanted.purpose)


class Offer(Asked):
    offer: str = Field(max_length=65536, description="SDP of a WebRTC connection that receives audio.")


class Answer(BaseModel):
    answer: str
    """SDP; caller on the left, callee on the right."""


@router.post("/{id}/listen")
async def listen(
    found: Annotated[About, about(Right.LISTEN)], wanted: Offer, request: Request, purpose: PurposeOfUse
) -> Answer:
    """Listen in by WebRTC, until the connection, the call or the right to it ends."""
    caller = found.caller

    def again() -> Asker | None:
        try:
            return identified(caller.house, request)
        except Trouble:
            return None

    return Answer(answer=await answer_to(caller, found.row, wanted.offer, again, purpose))
