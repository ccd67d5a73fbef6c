"""What values of requests and answers look like."""

from datetime import UTC, date, datetime
from typing import Annotated, Final, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

T = TypeVar("T")
MOST: Final = 500
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)


def _within(moment: datetime) -> datetime:
    """In UTC where nothing is said; no recording is older or newer than what databases can hold."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(aware, _FIRST), _LAST).astimezone(UTC)


def _written(value: object) -> object:
    """Seconds since 1970, which pydantic takes too, are no date."""
    if isinstance(value, str) and not value[:10].count("-") == 2:
        raise ValueError("must be as in ISO 8601, such as 2026-11-27T12:00:00Z")
    return value


Day = Annotated[date, BeforeValidator(_written)]
Moment = Annotated[datetime, BeforeValidator(_written), AfterValidator(_within)]
"""ISO 8601; without zone it is UTC."""
Word = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]
"""One line."""
_SAYS: Final = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
Reason = Annotated[str, StringConstraints(pattern=_SAYS, max_length=1000)]
"""One line that says something; it stands in the audit."""


def _whole(value: object) -> object:
    """JSON Schema takes 5.0 for an integer, and no text or truth value."""
    if isinstance(value, bool | str):
        raise ValueError("must be a number")
    return value


WHOLE: Final = BeforeValidator(_whole)
"""Beside an int of a body; after its limits, or the document does not tell them."""
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
Cursor = Annotated[int | None, Field(ge=0, le=2**63 - 1, description="`next` of the page before.")]
Limit = Annotated[int, Field(ge=1, le=MOST, description="Of what comes at once.")]


class Asked(BaseModel):
    """The body of a request, or its parameters."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Listed(BaseModel, Generic[T]):
    """A page of a list."""

    items: list[T]
    next: int | None = Field(default=None, description="`cursor` of the next page; null: this was the last.")
