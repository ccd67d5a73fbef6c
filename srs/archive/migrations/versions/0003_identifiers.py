"""What other systems call a recorded call."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    op.create_table(
        "identifier",
        sa.Column("recording_id", sa.String(64), sa.ForeignKey("recording.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("value", sa.String(255), primary_key=True),
    )
    op.create_index("ix_identifier_value", "identifier", ["value"])
