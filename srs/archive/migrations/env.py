"""Run by Alembic, on the connection and in the transaction of `srs.archive.database`."""

from alembic import context
from sqlmodel import SQLModel

import srs.archive.searchable
import srs.archive.tables  # noqa: F401 - make the metadata complete

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
)
context.run_migrations()
