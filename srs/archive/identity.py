"""Which call a recording is of: what other systems call it, and which other recordings are of the same."""

from sqlalchemy import ColumnElement, Engine, or_, tuple_
from sqlmodel import col, select

from srs.archive.database import reading
from srs.archive.tables import Identifier, Recording
from srs.siprec.identifiers import SHARED, ucid


def is_called(value: str) -> ColumnElement[bool]:
    """The condition that a recording is called so by another system: UCID in either form, GUID, Call-ID, agent …"""
    named = select(Identifier.recording_id).where(col(Identifier.value).in_({value, value.lower(), ucid(value)}))
    return or_(col(Recording.id).in_(named), col(Recording.call_id) == value, col(Recording.session_id) == value)


def of(engine: Engine, recording: str) -> list[dict[str, str]]:
    """What other systems call a recorded call, and who is in it: `kind` and `value`."""
    query = select(Identifier).where(Identifier.recording_id == recording)
    with reading(engine) as session:
        found = session.exec(query.order_by(Identifier.kind, Identifier.value))
        return [{"kind": each.kind, "value": each.value} for each in found]


def same_call(engine: Engine, row: Recording) -> list[str]:
    """The other recordings of the call, delivered by another client or for a second time: oldest first.

    They have the id of the communication session in common, or an identifier that no other call has.
    """
    mine = select(Identifier.kind, Identifier.value).where(
        Identifier.recording_id == row.id, col(Identifier.kind).not_in(SHARED)
    )
    named = select(Identifier.recording_id).where(tuple_(col(Identifier.kind), col(Identifier.value)).in_(mine))
    alike: ColumnElement[bool] = col(Recording.id).in_(named)
    if row.session_id:
        alike = or_(alike, col(Recording.session_id) == row.session_id)
    query = select(Recording.id).where(alike, Recording.id != row.id)
    with reading(engine) as session:
        return list(session.exec(query.order_by(col(Recording.started_at), col(Recording.id))))
