"""Leave for one recording: asked for with a reason, decided by somebody else."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from srs.archive.database import reading, writing
from srs.privacy import grants
from srs.privacy.roles import Right
from srs.privacy.tables import Grant, User
from srs.web.api.caller import Caller, having
from srs.web.api.once import Once
from srs.web.api.words import Asked, Listed, Reason, Word
from srs.web.asker import Asker, NotFound

router = APIRouter(prefix="/grants", tags=["leave for a recording"], route_class=Once)


class Leave(BaseModel):
    """A request, and what became of it."""

    id: str
    user: str
    recording_id: str
    right: Right
    reason: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    until: datetime | None = Field(description="When it ends; null: it was refused, or not decided yet.")


def _leave(grant: Grant, user: str) -> Leave:
    names = [name for name in Leave.model_fields if name != "user"]
    return Leave(user=user, **{name: getattr(grant, name) for name in names})


@router.get("")
def listed(caller: Caller) -> Listed[Leave]:
    """The caller's own requests; all, for who decides them."""
    all_ = caller.decide(Right.GRANT).allowed
    found = grants.requests(caller.house.engine)
    return Listed(items=[_leave(grant, user.name) for grant, user in found if all_ or user.id == caller.person.id])


class Request(Asked):
    recording_id: Annotated[Word, Field(min_length=1, max_length=64)]
    right: Right
    reason: Reason


@router.post("", status_code=201)
def ask(caller: Caller, wanted: Request) -> Leave:
    """Ask for a recording by its whole id; whether there is one is not told."""
    with writing(caller.house.engine) as session:
        user = session.get_one(User, caller.person.id)
        grant = grants.ask(session, user, wanted.recording_id, wanted.right, wanted.reason, caller.now)
        subject, details = f"recording:{wanted.recording_id}", {"right": wanted.right}
        caller.write("ask", subject, reason=wanted.reason, details=details, within=session)
    return _leave(grant, caller.person.name)


class Verdict(Asked):
    hours: Annotated[float, Field(ge=0, le=720, strict=True, description="How long it holds; 0: refused.")]


@router.post("/{grant}/decision")
def decide(caller: Annotated[Asker, having(Right.GRANT)], grant: str, verdict: Verdict) -> Leave:
    """Grant or refuse what somebody else asked for."""
    period = timedelta(hours=verdict.hours) or None
    with writing(caller.house.engine) as session:
        if session.get(Grant, grant) is None:
            raise NotFound
        decided = grants.decide(session, grant, caller.person, caller.now, period)
        action, subject = "grant" if period else "refuse", f"recording:{decided.recording_id}"
        caller.write(action, subject, reason=decided.reason, details=verdict.model_dump(), within=session)
    with reading(caller.house.engine) as session:
        return _leave(decided, session.get_one(User, decided.user_id).name)
