"""Users who are to sign in by an OpenID provider, and keep their passwords until they do."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade():
    op.add_column("person", sa.Column("oidc_until", sa.DateTime(timezone=True)))
