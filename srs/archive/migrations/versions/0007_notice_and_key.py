"""Who was told, and the key that the sound is sealed for."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade():
    with op.batch_alter_table("recording") as table:
        table.add_column(sa.Column("key", sa.String(64)))
    op.create_table(
        "notice",
        sa.Column("recording_id", sa.String(64), sa.ForeignKey("recording.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True),
        sa.Column("party", sa.Text()),
        sa.Column("from_s", sa.Float(), nullable=False),
        sa.Column("to_s", sa.Float()),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("purpose", sa.Text()),
        sa.Column("second", sa.Float()),
        sa.Column("score", sa.Float()),
        sa.Column("channel", sa.Integer()),
        sa.Column("told_by", sa.Text()),
    )
    op.create_index("ix_notice_state", "notice", ["state"])
