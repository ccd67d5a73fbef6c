"""Calls under way."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from srs.archive import catalogue
from srs.archive.catalogue import Filter
from srs.archive.tables import Recording, State
from srs.privacy.roles import Right
from srs.web.api.caller import having
from srs.web.api.words import Listed
from srs.web.asker import Asker

router = APIRouter(prefix="/calls", tags=["calls under way"])


class Party(BaseModel):
    channel: int
    label: str | None
    aor: str | None
    name: str | None


class Call(BaseModel):
    """A call that is being recorded; its recording will have the same id."""

    id: str
    started_at: datetime
    duration_s: float
    caller: str | None
    callee: str | None
    parties: list[Party]
    listen: bool
    """Whether the caller of the API may listen in."""


@router.get("")
def under_way(caller: Annotated[Asker, having(Right.LIST)]) -> Listed[Call]:
    """What is being recorded now, newest first."""
    house, wanted = caller.house, Filter(State.RECORDING, sight=caller.sight())
    rows = catalogue.entries(house.engine, house.settings.data_dir, wanted)
    return Listed(items=[_call(caller, row) for row in rows])


def _call(caller: Asker, row: Recording) -> Call:
    return Call(
        id=row.id,
        started_at=row.started_at,
        duration_s=max(0.0, (caller.now - row.started_at).total_seconds()),
        caller=row.caller,
        callee=row.callee,
        parties=[Party(channel=leg.channel, label=leg.label, aor=leg.aor, name=leg.name) for leg in row.legs],
        listen=caller.decide(Right.LISTEN, row).allowed,
    )
