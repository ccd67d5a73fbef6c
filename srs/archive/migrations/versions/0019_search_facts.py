"""An index for each fact that recordings are searched by, for those that fit few."""

from alembic import op

revision = "0019"
down_revision = "0018"

FACTS = ("duration_s", "complete", "purpose", "state", "held", "mos")


def upgrade():
    op.drop_index("ix_recording_search_poor", "recording_search")
    for fact in FACTS:
        op.create_index(f"ix_recording_search_{fact}", "recording_search", [fact, "position"])
