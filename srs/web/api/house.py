"""The recorder itself: purposes, settings, state."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from srs.config.privacy import purposes as all_purposes
from srs.handoff import tasks
from srs.privacy.roles import Right
from srs.web import settings, state
from srs.web.api.caller import Caller, having
from srs.web.api.once import Once
from srs.web.api.words import Listed
from srs.web.asker import Asker
from srs.web.start import CALLER, begin_call

router = APIRouter(tags=["recorder"], route_class=Once)

Watcher = Annotated[Asker, having(Right.WATCH)]


class Purpose(BaseModel):
    """Why recordings are kept."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    basis: str | None
    keep_days: float | None
    listen: list[str]
    fits: list[str]
    text_nl: str
    text_en: str


@router.get("/purposes")
def purposes(caller: Caller) -> Listed[Purpose]:
    """The purposes there are."""
    known = all_purposes(caller.house.settings.purpose).values()
    return Listed(items=[Purpose.model_validate(each) for each in known])


class Setting(BaseModel):
    name: str
    value: str
    """As the pages show it: no passwords."""
    meaning: str
    origin: str


@router.get("/settings")
def in_force(caller: Annotated[Asker, having(Right.SETTINGS)]) -> Listed[Setting]:
    """The settings in force, and where each comes from."""
    rows = settings.in_force(caller.house)
    return Listed(items=[Setting(name=a, value=b, meaning=c, origin=d) for a, b, c, d in rows])


class Begun(BaseModel):
    caller: str
    """By which the recording is found, when it has ended."""


@router.post("/test-call", status_code=202)
def call(caller: Annotated[Asker, having(Right.SETTINGS)]) -> Begun:
    """Have the recorder record a call of its own client, of a few seconds."""
    return Begun(caller=CALLER.format(begin_call(caller)))


class Disk(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    free: int
    total: int
    a_day: float
    """Octets recorded a day, by the last week."""
    days: int | None
    """Until it is full at that; null: not in this recorder's life."""


class Raised(BaseModel):
    """An alarm."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    call: str | None
    reason: str
    do: str


class Failed(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    started_at: datetime
    reason: str | None


class State(BaseModel):
    """How the recorder is doing."""

    calls_now: int
    calls_per_hour: list[int]
    """Of the last 24, the oldest first."""
    packets: int
    lost: int
    complete: float
    captures: dict[str, int]
    tasks: dict[str, int]
    alarms: list[Raised]
    failed: list[Failed]
    """The last calls that could not be made into a recording."""
    disk: Disk


@router.get("/state")
def how_it_is(caller: Watcher) -> State:
    """Calls, packets, what waits, what the disk has room for."""
    house = caller.house
    traffic, waiting = state.traffic(house.engine, caller.now), state.waiting(house.settings.data_dir)
    return State(
        calls_now=waiting["open"],
        calls_per_hour=list(traffic.hours),
        packets=traffic.packets,
        lost=traffic.lost,
        complete=traffic.complete,
        captures=waiting,
        tasks=tasks.counts(house.engine),
        alarms=[Raised.model_validate(alarm) for alarm in state.alarms(house.settings.data_dir)],
        failed=[Failed.model_validate(row) for row in state.failed(house.engine)],
        disk=Disk.model_validate(state.disk(house.engine, house.settings.data_dir, caller.now)),
    )
