"""What is told of a period: the data-protection report, and whether all calls were recorded."""

import tempfile
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel, ConfigDict
from sqlmodel import select

from srs.archive import cdr, reconcile
from srs.archive.tables import Reconciliation
from srs.privacy.errors import Misuse
from srs.privacy.report import report as count
from srs.privacy.roles import Right
from srs.web.api.caller import having
from srs.web.api.once import Once
from srs.web.api.paging import newest
from srs.web.api.words import Cursor, Day, Limit, Listed, Word
from srs.web.asker import Asker
from srs.web.sound import made

router = APIRouter(tags=["proof"], route_class=Once)

Reporter = Annotated[Asker, having(Right.REPORT)]
LONGEST: Final = timedelta(days=1100)
_PDF, _HTML = "application/pdf", "text/html"


@router.get(
    "/report",
    response_class=Response,
    responses={200: {"content": {kind: {"schema": {"type": "string"}} for kind in (_PDF, _HTML)}}},
)
def report(
    caller: Reporter,
    since: Annotated[Day, Query(alias="from", description="First day (UTC).")],
    until: Annotated[Day, Query(alias="to", description="Last day (UTC).")],
    language: Literal["nl", "en"] = "nl",
    format: Literal["pdf", "html"] = "pdf",  # noqa: A002
) -> Response:
    """Calls by purpose, who was told, what is kept, deleted and was asked for; nobody is named."""
    from srs.privacy.report_pages import write  # knows matplotlib, which the pages need not load

    if not timedelta() <= until - since <= LONGEST or until == date.max:
        raise Misuse(f"a report is of 1 to {LONGEST.days} days")
    period = [datetime.combine(day, time(), UTC) for day in (since, until + timedelta(days=1))]
    caller.write("report", "recorder", details={"from": str(since), "to": str(until)})
    found = count(caller.house.engine, caller.house.settings, period[0], period[1], caller.now)
    name = f"report_{since}_{until}.{format}"
    return made(lambda target: write(found, language, target), name, _PDF if format == "pdf" else _HTML)


class Finding(BaseModel):
    """What became of a listed call."""

    line: int
    started_at: datetime
    caller: str
    callee: str
    verdict: str
    """`missing`, `short`, `double` (several recordings) or `failed` (there is one without sound)."""
    recordings: list[str]
    lacks_s: float


class Compared(BaseModel):
    calls: int
    wrong: list[Finding]
    """All but those that were recorded once and whole."""


@router.post("/reconciliations", status_code=201)
def compare(
    caller: Reporter, listed: Annotated[bytes, Body(media_type="text/csv")], name: Annotated[Word, Query()] = "list"
) -> Compared:
    """Compare a list of calls of the PBX, CSV with a heading, with the recordings; `[reconcile]` tells its columns."""
    house = caller.house
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(listed)
        file.flush()
        calls = cdr.read(Path(file.name), house.settings.reconcile)
    rows = reconcile.recordings(house.engine, calls, house.settings.reconcile)
    found = reconcile.compare(calls, rows, house.settings.reconcile)
    reconcile.note(house.engine, name, found, caller.now)
    return Compared(calls=len(found), wrong=[_finding(each) for each in found if each.verdict != "recorded"])


def _finding(each: reconcile.Finding) -> Finding:
    call, found = each.cdr, each
    same = {field: getattr(call, field) for field in ("line", "started_at", "caller", "callee")}
    return Finding(**same, verdict=found.verdict, recordings=list(found.recordings), lacks_s=found.lacks_s)


class Reconciled(BaseModel):
    """What a comparison found."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: datetime
    source: str
    since: datetime
    until: datetime
    calls: int
    missing: int
    short: int
    double: int


@router.get("/reconciliations")
def reconciled(caller: Reporter, cursor: Cursor = None, limit: Limit = 50) -> Listed[Reconciled]:
    """What comparisons found, newest first."""
    found, older = newest(caller.house.engine, select(Reconciliation), "id", cursor, limit)
    return Listed(items=[Reconciled.model_validate(each) for each in found], next=older)
