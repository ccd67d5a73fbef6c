"""Secret recording on suspicion of an offence: `[cases]`."""

from pydantic import Field

from srs.config.privacy import ExpandedPath
from srs.config.values import Section


class CasesSettings(Section):
    longest_days: int = Field(default=92, ge=1, description="Days that a case may record at most.")
    approve_days: int = Field(
        default=7,
        ge=0,
        description="Days a case may wait for its second person before the privacy officers are mailed.",
    )
    close_days: int = Field(
        default=14, ge=0, description="Days after its end by which a case must be closed, or the officers are mailed."
    )
    letter_days: int = Field(
        default=30, ge=0, description="Days after a case is closed without an offence by which the employee is told."
    )
    organisation: str = Field(default="", description="Who signs the letter to the employee.")
    letter_nl: ExpandedPath | None = Field(
        default=None, description="Text of the letter in Dutch, in place of the one built in; see privacy.md."
    )
    letter_en: ExpandedPath | None = Field(default=None, description="The same in English.")
