"""What lists of calls look like that recordings are compared with: `[reconcile]`."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from srs.config.values import Section


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError('must be a time zone such as "Europe/Amsterdam" or "UTC"') from None
    return value


class ReconcileSettings(Section):
    like: Literal["freepbx", "3cx", "3cx-18", "broadworks", "telnyx"] | None = Field(
        default=None, description="Whose lists they are: columns and times as these write them; what else is set wins."
    )
    start: str | None = Field(default=None, description="The column with the time the call was answered, or began.")
    time_format: str | None = Field(
        default=None, description="How times are written, as Python's `strptime` takes it; without it ISO 8601."
    )
    time_zone: Annotated[str, AfterValidator(_zone)] = Field(default="UTC", description="Of times that name none.")
    seconds: str | None = Field(default=None, description="The column with the length: seconds, or `H:MM:SS`.")
    end: str | None = Field(
        default=None, description="The column with the time the call ended, where none has the length."
    )
    caller: str | None = Field(default=None, description="The column with the caller's number.")
    callee: str | None = Field(default=None, description="The column with the number that was called.")
    call_id: str | None = Field(
        default=None, description="The column with an identifier that the recording has too (Call-ID, UCID, GUID …)."
    )
    answered: str | None = Field(
        default=None, description="`COLUMN=PATTERN`: only such lines are calls that were answered; without it all are."
    )
    tolerance_s: float = Field(default=10.0, ge=0, description="How far the clocks of list and recorder may differ.")
    short_s: float = Field(default=5.0, ge=0, description="A recording that lacks more than so many seconds is short.")
