"""Calls without notice, in what a comparison with another system's list found."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade():
    with op.batch_alter_table("reconciliation") as table:
        table.add_column(sa.Column("without_notice", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("reconciliation") as table:
        table.alter_column("without_notice", existing_type=sa.Integer(), server_default=None)
