"""Users and what they may, the audit, and the parties of a recording as patterns see them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade():
    op.add_column("recording", sa.Column("parties", sa.Text(), nullable=False, server_default=""))
    _fill_parties()
    with op.batch_alter_table("recording") as table:
        table.alter_column("parties", existing_type=sa.Text(), existing_nullable=False, server_default=None)
    _users()
    _audit()


def _fill_parties():
    from srs.archive.subject import parties_text
    from srs.archive.tables import Leg, Recording

    recording, leg = Recording.__table__, Leg.__table__
    connection = op.get_bind()
    legs = {}
    for row in connection.execute(sa.select(leg.c.recording_id, leg.c.aor, leg.c.name)):
        legs.setdefault(row.recording_id, []).append(Leg(channel=0, aor=row.aor, name=row.name))
    for row in connection.execute(sa.select(recording.c.id, recording.c.caller, recording.c.callee)).all():
        seen = Recording(caller=row.caller, callee=row.callee, legs=legs.get(row.id, []))
        connection.execute(sa.update(recording).where(recording.c.id == row.id).values(parties=parties_text(seen)))


def _of_user():
    return sa.Column("user_id", sa.String(32), sa.ForeignKey("person.id", ondelete="CASCADE"), nullable=False)


def _moment(name, *, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _users():
    op.create_table(
        "person",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False, unique=True),
        sa.Column("mail", sa.Text()),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("extensions", sa.JSON(), nullable=False),
        sa.Column("password", sa.Text()),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("totp_secret", sa.Text()),
        sa.Column("totp_pending", sa.Text()),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("oidc_subject", sa.Text(), unique=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        _moment("locked_until", nullable=True),
        _moment("created_at"),
    )
    op.create_table(
        "role",
        sa.Column("user_id", sa.String(32), sa.ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("role", sa.String(32), primary_key=True),
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("excluded", sa.JSON(), nullable=False),
        sa.Column("rights", sa.JSON(), nullable=False),
    )
    op.create_table(
        "grant",
        sa.Column("id", sa.String(32), primary_key=True),
        _of_user(),
        sa.Column("recording_id", sa.String(64), nullable=False),
        sa.Column("right", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _moment("asked_at"),
        sa.Column("decided_by", sa.Text()),
        _moment("decided_at", nullable=True),
        _moment("until", nullable=True),
    )
    op.create_index("ix_grant_user_id", "grant", ["user_id"])
    op.create_index("ix_grant_recording_id", "grant", ["recording_id"])
    op.create_table(
        "token",
        sa.Column("id", sa.String(32), primary_key=True),
        _of_user(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("rights", sa.JSON(), nullable=False),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("used_at", nullable=True),
    )
    op.create_index("ix_token_user_id", "token", ["user_id"])
    op.create_table(
        "web_session",
        sa.Column("digest", sa.String(64), primary_key=True),
        _of_user(),
        sa.Column("origin", sa.Text(), nullable=False),
        _moment("created_at"),
        _moment("seen_at"),
    )
    op.create_index("ix_web_session_user_id", "web_session", ["user_id"])


def _audit():
    op.create_table(
        "audit",
        sa.Column("sequence", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])
    op.create_index("ix_audit_who", "audit", ["who"])
    for statement in _APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


_APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER audit_no_{what} BEFORE {what} ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
        for what in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        """CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$""",
        """CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()""",
    ],
}
"""Against mistakes; whoever means to can remove it, and the chain tells."""
