"""Who may do what, and what is kept of what they did: `[audit]`."""

from pydantic import Field

from srs.config.privacy import ExpandedPath
from srs.config.values import Section


class AuditSettings(Section):
    checkpoint_dir: ExpandedPath | None = Field(
        default=None,
        description="Another folder for the audit's signed checkpoints, best on another machine; they are always in "
        "`audit` of the data folder too.",
    )
