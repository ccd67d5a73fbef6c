"""Databases with their tables, copied from one: the migrations take longer than most tests."""

import functools
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from srs.archive.database import connect

if TYPE_CHECKING:
    from support import postgres


@functools.cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "recordings.sqlite"
        connect(f"sqlite:///{path}").dispose()
        return path.read_bytes()


def sqlite(path: Path) -> str:
    """The URL of a new one at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_empty())
    return f"sqlite:///{path}"


@functools.cache
def _template(server: "postgres.Server") -> str:
    url = server.database()
    connect(url).dispose()
    return url.rpartition("/")[2]


def postgresql(server: "postgres.Server") -> str:
    """The URL of a new one on the server."""
    return server.database(_template(server))
