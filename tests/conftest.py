"""What tests of several packages need."""

from collections.abc import Iterator

import pytest
from support import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A PostgreSQL server for all tests of this process."""
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is missing: apt-get install postgresql")
    with postgres.server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A new, empty database of each kind that the recorder works on."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('database')}/recordings.sqlite"
    running: postgres.Server = request.getfixturevalue("postgres_server")
    return running.database()
