"""Recordings as the API shows them: what the person who asks may know, nothing of where they are kept."""

import hashlib
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from srs.archive.searchable import complete, mos, notice
from srs.archive.tables import Recording as Row
from srs.archive.tables import State

MADE = ("legs", "groups", "complete", "mos", "notice", "ended_at")
"""Members that are no columns of the row."""


class Leg(BaseModel):
    """One party's stream."""

    model_config = ConfigDict(from_attributes=True)

    channel: int
    label: str | None
    aor: str | None
    name: str | None
    codec: str | None
    packets: int
    lost: int
    seconds: float


class Recording(BaseModel):
    """A recording; all that is known of it is in its facts."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    call_id: str | None
    session_id: str | None
    state: State
    reason: str | None
    started_at: datetime
    ended_at: datetime | None
    duration_s: float
    caller: str | None
    callee: str | None
    legs: list[Leg]
    direction: str | None
    peer: str | None
    groups: list[str]
    purpose: str | None
    tags: list[str]
    note: str | None
    held: bool
    format: str | None
    bytes: int | None
    sha256: str | None
    key: str | None = Field(description="Name of the key that the sound is sealed for.")
    mos: float | None = Field(description="Estimated, of the worst leg.")
    notice: str | None = Field(description="What is known of the parties' having been told: the least.")
    complete: float = Field(description="Share of the packets sent that came, of the worst leg.")
    deleted_at: datetime | None

    @property
    def etag(self) -> str:
        """Another one after each change."""
        return f'"{hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:32]}"'


def described(row: Row) -> Recording:
    """A recording as it is now."""
    names = [name for name in Recording.model_fields if name not in MADE]
    return Recording(
        **{name: getattr(row, name) for name in names},
        legs=[Leg.model_validate(leg) for leg in row.legs],
        groups=row.groups or [],
        complete=complete(row),
        mos=mos(row),
        notice=notice(row),
        ended_at=None if row.state == State.RECORDING else row.ended_at,
    )
