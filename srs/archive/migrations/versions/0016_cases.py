"""Cases: secret recording on suspicion of an offence."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade():
    op.create_table("case_file", *_case())
    for name, columns in (("case_paper", _paper()), ("case_recording", _recording()), ("case_letter", _letter())):
        op.create_table(name, sa.Column("id", sa.String(32), primary_key=True), _of_case(nullable=False), *columns)
        op.create_index(f"ix_{name}_case_id", name, ["case_id"])
    op.create_table("case_entry", *_entry())


def _of_case(**more):
    return sa.Column("case_id", sa.String(32), sa.ForeignKey("case_file.id"), **more)


def _moment(name, *, nullable=True):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _case():
    return [
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("opened_by", sa.Text(), nullable=False),
        _moment("opened_at", nullable=False),
        sa.Column("investigators", sa.JSON(), nullable=False),
        sa.Column("suspicion", sa.Text()),
        sa.Column("persons", sa.JSON(), nullable=False),
        _moment("since", nullable=False),
        _moment("until", nullable=False),
        sa.Column("reference", sa.Text()),
        sa.Column("no_council", sa.Text()),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text()),
        _moment("approved_at"),
        _moment("stopped_at"),
        sa.Column("outcome", sa.String(16)),
        sa.Column("reason", sa.Text()),
        sa.Column("closed_by", sa.Text()),
        _moment("closed_at"),
        sa.Column("held", sa.Boolean(), nullable=False),
        _moment("destroyed_at"),
        sa.Column("receipt", sa.JSON()),
        sa.Column("reminded", sa.JSON(), nullable=False),
        sa.Column("head", sa.Text()),
    ]


def _paper():
    return [
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        _moment("added_at", nullable=False),
    ]


def _recording():
    return [
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("file", sa.Text()),
        sa.Column("bytes", sa.BigInteger()),
        sa.Column("sha256", sa.String(64)),
        sa.Column("captures", sa.JSON(), nullable=False),
    ]


def _letter():
    return [
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("mail", sa.Text()),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text()),
        _moment("due_at", nullable=False),
        _moment("sent_at"),
        sa.Column("how", sa.Text()),
    ]


def _entry():
    return [
        _of_case(primary_key=True),
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
    ]
