"""Cases: persons who had no part in the offence, and the receipt of what was destroyed of them."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade():
    with op.batch_alter_table("case_file") as table:
        table.add_column(sa.Column("cleared", sa.JSON(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("cleared_receipt", sa.JSON()))
    with op.batch_alter_table("case_file") as table:
        table.alter_column("cleared", existing_type=sa.JSON(), existing_nullable=False, server_default=None)
