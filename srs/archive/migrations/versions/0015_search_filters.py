"""Groups of recordings; search by quality and notice.

The rows of the search follow when the groups of a recording are noted (`srs.archive.grouping`), soon after the start.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

WALK = ["position", "duration_s", "complete", "purpose", "state", "held", "mos", "notice"]


def upgrade():
    op.add_column("recording", sa.Column("groups", sa.JSON()))
    op.add_column("recording", sa.Column("grouped", sa.String(16)))
    op.create_index("ix_recording_grouped", "recording", ["grouped"])
    op.add_column("recording_search", sa.Column("mos", sa.Float()))
    op.add_column("recording_search", sa.Column("notice", sa.String(16)))
    op.drop_index("ix_recording_search_walk", "recording_search")
    op.create_index("ix_recording_search_walk", "recording_search", WALK)
    op.create_index("ix_recording_search_notice", "recording_search", ["notice", "position"])
    poor = sa.text("mos < 4.03")
    columns = ["position", "mos"]
    op.create_index("ix_recording_search_poor", "recording_search", columns, sqlite_where=poor, postgresql_where=poor)
