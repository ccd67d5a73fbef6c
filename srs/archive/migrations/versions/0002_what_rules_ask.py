"""What rules ask of a recording: direction, peer, purpose, tags."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    with op.batch_alter_table("recording") as table:
        table.add_column(sa.Column("direction", sa.String(16)))
        table.add_column(sa.Column("peer", sa.Text()))
        table.add_column(sa.Column("purpose", sa.Text()))
        table.add_column(sa.Column("tags", sa.JSON(), nullable=False, server_default="[]"))
        table.create_index("ix_recording_purpose", ["purpose"])
    with op.batch_alter_table("recording") as table:
        table.alter_column("tags", existing_type=sa.JSON(), existing_nullable=False, server_default=None)
