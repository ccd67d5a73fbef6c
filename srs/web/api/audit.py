"""What was done, by whom, and whether that record is whole."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from srs.privacy import audit, checkpoints
from srs.privacy.audit import Wanted
from srs.privacy.roles import Right
from srs.web.api.caller import having
from srs.web.api.paging import newest
from srs.web.api.words import Asked, Cursor, Limit, Listed, Moment, Word
from srs.web.asker import Asker

router = APIRouter(prefix="/audit", tags=["audit"])

Auditor = Annotated[Asker, having(Right.AUDIT)]


class Filters(Asked):
    """Which entries; the first three may end with `*`."""

    who: Word | None = None
    action: Word | None = None
    subject: Word | None = None
    since: Moment | None = None
    until: Moment | None = None
    cursor: Cursor = None
    limit: Limit = 50


class Entry(BaseModel):
    """With all that its hash is computed from."""

    model_config = ConfigDict(from_attributes=True)

    sequence: int
    at: datetime
    who: str
    action: str
    subject: str
    reason: str | None
    origin: str
    allowed: bool
    details: dict[str, Any]
    previous: str
    hash: str


@router.get("")
def listed(caller: Auditor, wanted: Annotated[Filters, Query()]) -> Listed[Entry]:
    """Entries, newest first. Looking is itself in the audit."""
    asked = wanted.model_dump(mode="json", exclude_none=True, exclude={"limit"})
    caller.write("read audit", "audit", details=asked)
    query = audit.query(Wanted(**wanted.model_dump(exclude={"cursor", "limit"})))
    found, older = newest(caller.house.engine, query, "sequence", wanted.cursor, wanted.limit)
    return Listed(items=[Entry.model_validate(each) for each in found], next=older)


class Verdict(BaseModel):
    """Whether the chain and all checkpoints hold."""

    whole: bool
    wrong: list[str]
    key: str = Field(description="Public key of the checkpoints.")


@router.get("/verify")
def verify(caller: Auditor) -> Verdict:
    """Check every entry and every signed checkpoint."""
    caller.write("verify audit", "audit")
    wrong = checkpoints.verify(caller.house.engine, caller.house.settings)
    return Verdict(whole=not wrong, wrong=wrong, key=checkpoints.public_key(caller.house.settings))
