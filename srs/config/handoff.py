"""What happens to recordings after the call: `[retention]`, `[tasks]`, `[[handoff]]`."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from srs.config.rules import Match
from srs.config.values import Section, tables


class RetentionRule(Section):
    """How long some recordings are kept."""

    name: str = Field(min_length=1, description="What receipts call it.")
    match: Match = Field(default=Match(), description="Which recordings it is for.")
    keep_days: float | None = Field(
        default=None,
        ge=0,
        description="Days after the end of the call; without it they are kept until somebody deletes.",
    )
    prune: bool = Field(default=True, description="Whether a full disk may cost them before (`when_full`).")


class RetentionSettings(Section):
    keep_days: float | None = Field(
        default=None,
        ge=0,
        description="Days after the end of the call that recordings without a rule are kept; without it until "
        "somebody deletes them.",
    )
    rule: Annotated[list[RetentionRule], BeforeValidator(tables)] = Field(
        default=[],
        description="`[[retention.rule]]`, once for each: `name`, `match`, `keep_days`, `prune`. See operations.md.",
    )
    wins: Literal["longest", "shortest"] = Field(
        default="longest", description="Which period holds where several rules match."
    )
    keep_facts: bool = Field(
        default=True,
        description="Whether parties, legs and facts stay known when a recording is deleted, or its times only.",
    )
    when_full: Literal["refuse", "prune"] = Field(
        default="refuse",
        description="When the disk is full: `refuse` new calls, or `prune` the oldest recordings that are not held.",
    )


class TaskSettings(Section):
    lease_s: float = Field(
        default=60.0,
        ge=1,
        description="Seconds after which another worker takes over the task of one that died.",
    )
    local_targets: bool = Field(
        default=False,
        description="Whether webhooks may go to this machine itself and to link-local addresses, such as those at "
        "which clouds tell secrets.",
    )


class HandoffSettings(Section):
    """A module, and which recordings it is for."""

    name: str = Field(min_length=1, max_length=64, description="What tasks and receipts call it.")
    module: str = Field(
        min_length=1, max_length=64, description="`webhook`, `copy`, `transcribe`, or an installed one."
    )
    match: Match = Field(default=Match(), description="Which recordings it is for.")
    order: int = Field(default=0, ge=0, le=1000, description="Those with a lower one come first.")
    on_failure: Literal["continue", "stop"] = Field(
        default="continue", description="Whether those with a higher order go on when it has failed."
    )
    options: dict[str, Any] = Field(default={}, description="What the module wants to know.")
