"""One-time passwords that end, recovery codes, and what a browser's user wants recordings for."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade():
    op.add_column("person", sa.Column("password_until", sa.DateTime(timezone=True)))
    op.add_column("web_session", sa.Column("purpose", sa.Text()))
    op.create_table(
        "recovery_code",
        sa.Column("user_id", sa.String(32), sa.ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
    )
