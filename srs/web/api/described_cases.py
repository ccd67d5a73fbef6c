"""Cases as the API shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from srs.privacy.cases.papers import LACKS
from srs.privacy.cases.steps import Step as Due
from srs.privacy.cases.tables import Outcome, PaperKind
from srs.privacy.cases.view import View
from srs.privacy.tables import Chained


class Step(BaseModel):
    """Something that is to be done."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    overdue: bool
    since: datetime | None
    until: datetime | None
    count: int
    words: str


def told(due: list[Due]) -> list[Step]:
    same = ("name", "overdue", "since", "until", "count")
    return [Step(**{name: getattr(step, name) for name in same}, words=step.words("en")) for step in due]


class Line(BaseModel):
    """A case in the list."""

    id: str
    state: str
    since: datetime
    until: datetime
    opened_by: str
    held: bool
    due: list[Step]


class Paper(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    kind: PaperKind
    name: str
    bytes: int
    sha256: str
    added_by: str
    added_at: datetime


class Entry(BaseModel):
    """Something that was done, or tried."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    who: str
    action: str
    reason: str | None
    allowed: bool


class Case(BaseModel):
    """All that whoever asks may know of a case."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    opened_by: str
    opened_at: datetime
    suspicion: str | None
    persons: list[str]
    cleared: list[str]
    since: datetime
    until: datetime
    reference: str | None
    no_council: str | None
    approved_by: str | None
    approved_at: datetime | None
    stopped_at: datetime | None
    outcome: Outcome | None
    reason: str | None
    closed_by: str | None
    closed_at: datetime | None
    held: bool
    destroyed_at: datetime | None
    receipt: dict[str, Any] | None
    cleared_receipt: dict[str, Any] | None


class Shown(Case):
    state: str
    lacks: list[str] = Field(description="Before it may be approved.")
    due: list[Step]
    papers: list[Paper]
    recordings: int | None = Field(description="Told to its investigators only.")
    whole: bool = Field(description="Nothing in the chain of what was done was changed.")
    done: list[Entry]
    tried: list[Entry] = Field(description="By those who may not know of it.")


def shown(seen: View) -> Shown:
    """A case as somebody sees it."""
    return Shown(
        **Case.model_validate(seen.case).model_dump(),
        state=seen.state,
        lacks=[LACKS[kind]["en"] for kind in seen.lacks],
        due=told(seen.due),
        papers=[Paper.model_validate(paper) for paper in seen.papers],
        recordings=seen.recordings,
        whole=seen.whole,
        done=_entries(seen.done),
        tried=_entries(seen.tried),
    )


def _entries(chain: Sequence[Chained]) -> list[Entry]:
    return [Entry.model_validate(entry) for entry in chain]
