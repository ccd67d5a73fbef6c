"""Which recordings a rule is for, and what is needed to tell: `match` of any rule, `[numbers]`, `[[group]]`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from srs.config import hours
from srs.config.values import Section, items

Patterns = Annotated[list[str], BeforeValidator(items)]
Direction = Literal["inbound", "outbound", "internal", "transit"]


class Match(Section):
    """Which recordings a rule is for: all that is given must hold, of a list one item; nothing given fits all.

    Patterns are of a number (`0800*`), an extension (`2??`) or a whole address (`*@example.com`), in any case.
    """

    number: Patterns = Field(default=[], description="Patterns, one of which fits any party of the call.")
    caller: Patterns = Field(default=[], description="Patterns of the caller.")
    callee: Patterns = Field(default=[], description="Patterns of the callee.")
    extension: Patterns = Field(default=[], description="Patterns of a party that is an own extension.")
    group: Patterns = Field(default=[], description="Names of `[[group]]`s; a party belongs to one of them.")
    direction: Annotated[list[Direction], BeforeValidator(items)] = Field(
        default=[], description="`inbound`, `outbound`, `internal` (extension to extension) or `transit` (neither is)."
    )
    peer: Patterns = Field(default=[], description="Names of `[[peer]]`s that the call came from.")
    purpose: Patterns = Field(default=[], description="Names of purposes.")
    time: Annotated[list[Annotated[str, AfterValidator(hours.check)]], BeforeValidator(items)] = Field(
        default=[],
        description="Hours in which the call began, one of which fits: `mon-fri 08:00-18:00`, `sat`, `22:00-06:00`.",
    )
    tag: Patterns = Field(default=[], description="Tags, one of which the recording has.")
    min_s: float | None = Field(default=None, ge=0, description="Calls of at least so many seconds.")
    max_s: float | None = Field(default=None, ge=0, description="Calls of at most so many seconds.")


class NumbersSettings(Section):
    extension_digits: int = Field(
        default=5, ge=0, le=15, description="Numbers of at most so many digits are own extensions; 0: none is."
    )
    extensions: Patterns = Field(
        default=[],
        description="Patterns of numbers and addresses that are own extensions too, such as `*@example.com`.",
    )


class GroupSettings(Section):
    """People or extensions that rules speak of together."""

    name: str = Field(min_length=1, description="What rules and pages call it.")
    extensions: Annotated[list[str], BeforeValidator(items), Field(min_length=1)] = Field(
        description="Patterns of its numbers or addresses."
    )
    mail: Annotated[list[str], BeforeValidator(items)] = Field(
        default=[], description="Mail addresses of those who lead it."
    )
