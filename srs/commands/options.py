"""What the commands share: options, the settings and the archive that they mean, how they speak."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from srs.config import Settings, load

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy import Engine

    from srs.archive.store import Store

Config: TypeAlias = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings file, instead of ./srs.toml or the system's."),
]
Data: TypeAlias = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Data folder, instead of data_dir.")
]
Id: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="Id of a recording, or its first characters.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="For programs: JSON.")]

WIDTH = 100


def open_archive(config: Path | None, data: Path | None) -> "tuple[Settings, Engine, Store]":
    """Settings, database and store, for commands that need no decoder.

    Raises:
        SettingsError, DatabaseError, StoreError: one of them is not to be had.
    """
    from srs.archive.database import connect
    from srs.archive.store import open_store

    settings = load(config, data)
    return settings, connect(settings.database_url), open_store(settings.store_url, settings.keys_dir)


def console() -> "Console":
    """For people; piped into a file it is as wide as a page."""
    from rich.console import Console

    screen = Console(highlight=False)
    return screen if screen.is_terminal else Console(highlight=False, width=WIDTH)
