"""What the pages keep for their users."""

from sqlalchemy import Text
from sqlmodel import Field, SQLModel


class SavedSearch(SQLModel, table=True):
    """A search that a user wants again."""

    __tablename__ = "saved_search"

    user_id: str = Field(primary_key=True, max_length=32, foreign_key="person.id", ondelete="CASCADE")
    name: str = Field(primary_key=True, max_length=80)
    query: str = Field(sa_type=Text)
    """As in the address of the page."""
