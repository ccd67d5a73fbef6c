"""How much was recorded when: counted for every ten minutes as recordings are saved.

Whoever asks how the recorder is doing reads these few rows, however many recordings there are. What is deleted later
stays counted: it was recorded.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import UOWTransaction
from sqlmodel import col, select

from srs.archive.tables import Recorded, Recording, State, UtcDateTime

SLOT: Final = timedelta(minutes=10)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ADD: Final = sa.text(
    "INSERT INTO recorded (slot, calls, packets, lost, bytes) VALUES (:slot, :calls, :packets, :lost, :bytes) "
    "ON CONFLICT (slot) DO UPDATE SET calls = recorded.calls + excluded.calls, "
    "packets = recorded.packets + excluded.packets, lost = recorded.lost + excluded.lost, "
    "bytes = recorded.bytes + excluded.bytes"
).bindparams(sa.bindparam("slot", type_=UtcDateTime()))


def since(engine: Engine, moment: datetime) -> Sequence[Recorded]:
    """What was recorded in each ten minutes that began at a moment or later; where nothing was, there is no row."""
    from srs.archive.database import reading  # which has this module follow what is written

    with reading(engine) as session:
        return session.exec(select(Recorded).where(col(Recorded.slot) >= moment).order_by(col(Recorded.slot))).all()


@event.listens_for(OrmSession, "after_flush")
def _follow(session: OrmSession, _: UOWTransaction) -> None:
    for row in [*session.new, *session.dirty]:
        if isinstance(row, Recording) and (row in session.new or _is_made_good(row)):
            slot = _EPOCH + (row.started_at - _EPOCH) // SLOT * SLOT
            legs = {name: sum(getattr(leg, name) for leg in row.legs) for name in ("packets", "lost")}
            counted = {"calls": int(row in session.new), **legs, "bytes": row.bytes or 0}
            session.connection().execute(_ADD, {"slot": slot, **counted})


def _is_made_good(row: Recording) -> bool:
    """Whether it failed before, and was counted as a call without sound."""
    return State.FAILED in (sa.inspect(row).attrs.state.history.deleted or ())
