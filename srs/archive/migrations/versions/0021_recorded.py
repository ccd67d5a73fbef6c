"""How much was recorded in each ten minutes, so far for the last days; the tasks of a state by an index."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

COUNTED = timedelta(days=8)
SLOTS = {
    "postgresql": "to_timestamp(floor(extract(epoch FROM started_at) / 600) * 600)",
    "sqlite": "datetime(strftime('%s', started_at) / 600 * 600, 'unixepoch') || '.000000'",
}


def upgrade():
    octets = [sa.Column(name, sa.BigInteger(), nullable=False) for name in ("packets", "lost", "bytes")]
    slot = sa.Column("slot", sa.DateTime(timezone=True), primary_key=True)
    op.create_table("recorded", slot, sa.Column("calls", sa.Integer(), nullable=False), *octets)
    op.create_index("ix_task_state_due_at", "task", ["state", "due_at"])
    op.get_bind().execute(_counted(), {"since": datetime.now(UTC) - COUNTED})


def _counted():
    of_legs = "(SELECT coalesce(sum({0}), 0) FROM leg WHERE recording_id = recording.id) AS {0}"
    recent = (
        f"SELECT {SLOTS[op.get_bind().dialect.name]} AS slot, {of_legs.format('packets')}, {of_legs.format('lost')}, "
        "bytes FROM recording WHERE started_at >= :since"
    )
    counted = "SELECT slot, count(*), sum(packets), sum(lost), coalesce(sum(bytes), 0)"
    return sa.text(
        f"INSERT INTO recorded (slot, calls, packets, lost, bytes) {counted} FROM ({recent}) AS recent GROUP BY slot"
    ).bindparams(sa.bindparam("since", type_=sa.DateTime(timezone=True)))
