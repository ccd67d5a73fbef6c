"""Lists a page at a time, newest first, by key: what is added meanwhile moves nothing."""

from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import InstrumentedAttribute
from sqlmodel import SQLModel
from sqlmodel.sql.expression import SelectOfScalar

from srs.archive.database import reading

Row = TypeVar("Row", bound=SQLModel)


def newest(
    engine: Engine, query: SelectOfScalar[Row], key: str, cursor: int | None, limit: int
) -> tuple[list[Row], int | None]:
    """
    Args:
        key: name of the column that rises with time.
        cursor: only what is before it.

    Returns:
        The rows, and the cursor of the next page if there is one.
    """
    column: InstrumentedAttribute[int] = getattr(query.column_descriptions[0]["entity"], key)
    asked = query.order_by(column.desc()).limit(limit + 1)
    with reading(engine) as session:
        found = list(session.exec(asked if cursor is None else asked.where(column < cursor)))
    return found[:limit], getattr(found[limit - 1], key) if len(found) > limit else None
