"""Recordings and their legs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.create_table(
        "recording",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("call_id", sa.Text()),
        sa.Column("session_id", sa.Text()),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_s", sa.Float(), nullable=False),
        sa.Column("caller", sa.Text()),
        sa.Column("callee", sa.Text()),
        sa.Column("file", sa.Text()),
        sa.Column("format", sa.String(16)),
        sa.Column("bytes", sa.BigInteger()),
        sa.Column("sha256", sa.String(64)),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_recording_call_id", "recording", ["call_id"])
    op.create_index("ix_recording_started_at_id", "recording", ["started_at", "id"])
    op.create_index("ix_recording_state_started_at", "recording", ["state", "started_at"])
    op.create_table(
        "leg",
        sa.Column("recording_id", sa.String(64), sa.ForeignKey("recording.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("channel", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("label", sa.Text()),
        sa.Column("aor", sa.Text()),
        sa.Column("name", sa.Text()),
        sa.Column("codec", sa.Text()),
        sa.Column("packets", sa.Integer(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
    )
