"""What the pages and the API keep for their users."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from srs.archive.tables import UtcDateTime


class SavedSearch(SQLModel, table=True):
    """A search that a user wants again."""

    __tablename__ = "saved_search"

    user_id: str = Field(primary_key=True, max_length=32, foreign_key="person.id", ondelete="CASCADE")
    name: str = Field(primary_key=True, max_length=80)
    query: str = Field(sa_type=Text)
    """As in the address of the page."""


class Answered(SQLModel, table=True):
    """A request with an Idempotency-Key, and its answer (`srs.web.api.once`)."""

    __tablename__ = "answered"

    id: str = Field(primary_key=True, max_length=64)
    """SHA-256 of token and key."""
    asked: str = Field(max_length=64)
    """SHA-256 of the request."""
    answer: str | None = Field(default=None, sa_type=Text)
    """Sealed with token and key; None: there is none yet."""
    at: datetime = Field(sa_type=UtcDateTime, index=True)
