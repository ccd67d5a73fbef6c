"""What people asked for and got: access, erasure, restriction; counted in the report."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Engine, Text
from sqlmodel import Field, SQLModel, col, select

from srs.archive.database import reading, writing
from srs.archive.tables import UtcDateTime
from srs.privacy import audit
from srs.privacy.audit import Act


class Kind(StrEnum):
    """Article of the GDPR."""

    ACCESS = "access"
    """15."""
    ERASURE = "erasure"
    """17."""
    RESTRICTION = "restriction"
    """18."""
    RELEASE = "release"
    """The end of a restriction."""


class RightsRequest(SQLModel, table=True):
    """One request, carried out."""

    __tablename__ = "rights_request"

    id: int = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    kind: str = Field(max_length=16)
    person: str = Field(sa_type=Text)
    """Number or address."""
    by: str = Field(sa_type=Text)
    """Who carried it out, as the audit names them."""
    recordings: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    """What became of each: id and result."""


def note(engine: Engine, request: RightsRequest, origin: str) -> None:
    """Note a request, here and in the audit's chain."""
    act = Act(request.by, f"rights.{request.kind}", f"person:{request.person}", origin, details=request.recordings)
    with writing(engine) as session:
        session.add(request)
        audit.append(session, act, request.at)


def of_period(engine: Engine, since: datetime, until: datetime) -> list[RightsRequest]:
    """The requests of a period, oldest first."""
    query = select(RightsRequest).where(RightsRequest.at >= since, RightsRequest.at < until)
    with reading(engine) as session:
        return list(session.exec(query.order_by(col(RightsRequest.at))))
