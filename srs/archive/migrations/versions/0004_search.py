"""What recordings are found by, and a note on each."""

import json
from datetime import datetime

import sqlalchemy as sa
import structlog
from alembic import op
from sqlalchemy.exc import DBAPIError

from srs.archive import searchable
from srs.archive.tables import Leg, Recording, UtcDateTime

revision = "0004"
down_revision = "0003"

_MOMENT = UtcDateTime()
_COLUMNS = ("recording_id", "position", "words", "duration_s", "complete", "purpose", "state", "held")
_FOUND = sa.table("recording_search", *map(sa.column, _COLUMNS))
_SQLITE = """
CREATE VIRTUAL TABLE recording_words USING fts5(
    words, content='recording_search', content_rowid='position', tokenize='trigram');
CREATE TRIGGER recording_words_insert AFTER INSERT ON recording_search BEGIN
    INSERT INTO recording_words(rowid, words) VALUES (new.position, new.words);
END;
CREATE TRIGGER recording_words_delete AFTER DELETE ON recording_search BEGIN
    INSERT INTO recording_words(recording_words, rowid, words) VALUES ('delete', old.position, old.words);
END;
CREATE TRIGGER recording_words_update AFTER UPDATE OF words ON recording_search WHEN old.words <> new.words BEGIN
    INSERT INTO recording_words(recording_words, rowid, words) VALUES ('delete', old.position, old.words);
    INSERT INTO recording_words(rowid, words) VALUES (new.position, new.words);
END
"""


def upgrade():
    with op.batch_alter_table("recording") as table:
        table.add_column(sa.Column("note", sa.Text()))
    op.create_table(
        "recording_search",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("recording_id", sa.String(64), sa.ForeignKey("recording.id", ondelete="CASCADE"), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("duration_s", sa.Float(), nullable=False),
        sa.Column("complete", sa.Float(), nullable=False),
        sa.Column("purpose", sa.Text()),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("recording_id"),
    )
    columns = ["position", "duration_s", "complete", "purpose", "state", "held"]
    op.create_index("ix_recording_search_walk", "recording_search", columns)
    if op.get_bind().dialect.name == "sqlite":
        for statement in _statements(_SQLITE):
            op.execute(statement)
    elif op.get_bind().dialect.name == "postgresql":
        _trigrams()
    _fill(op.get_bind())


def _statements(script):
    """Each up to the semicolon that no trigger's body holds."""
    return script.replace(";\nCREATE", "\0CREATE").replace(";\nEND;", ";\nEND\0").strip().split("\0")


def _trigrams():
    """Words are found without the index too, more slowly."""
    try:
        with op.get_bind().begin_nested():
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            op.execute("CREATE INDEX ix_recording_search_words ON recording_search USING gin (words gin_trgm_ops)")
    except DBAPIError as error:
        structlog.get_logger().warning("search without pg_trgm: slow on many recordings", reason=str(error.orig))


def _fill(connection):
    """What was recorded before this revision, by the columns of this revision."""
    rows = connection.execute(sa.text("SELECT * FROM recording ORDER BY started_at, id")).mappings().all()
    for found in rows:
        row = _recording(connection, found)
        told = {**searchable.values(row), "recording_id": row.id, "position": searchable.free(connection, row)}
        connection.execute(sa.insert(_FOUND).values({name: told[name] for name in _COLUMNS}))


def _recording(connection, found):
    texts = ("id", "state", "caller", "callee", "call_id", "peer", "direction", "purpose", "duration_s", "held")
    legs = connection.execute(sa.text("SELECT * FROM leg WHERE recording_id = :id"), {"id": found["id"]}).mappings()
    started, tags = found["started_at"], found["tags"]
    return Recording(
        **{name: found[name] for name in texts},
        tags=json.loads(tags) if isinstance(tags, str) else tags,
        started_at=_MOMENT.process_result_value(
            datetime.fromisoformat(started) if isinstance(started, str) else started, None
        ),
        legs=[Leg(**{name: leg[name] for name in ("aor", "name", "packets", "lost")}) for leg in legs],
    )
