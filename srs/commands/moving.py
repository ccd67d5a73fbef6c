"""srs migrate-to: the database copied into another one."""

from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Annotated

import typer

from srs.commands.acting import note
from srs.commands.options import Config, Data, console
from srs.config import load, origin

if TYPE_CHECKING:
    from sqlalchemy import Engine, Table

    from srs.archive.moving import Step


def migrate_to(
    url: Annotated[str, typer.Argument(metavar="URL", help="Such as postgresql+psycopg://srs@db.example.com/srs.")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Copy the database into an empty one, from SQLite to PostgreSQL or back, and compare every row.

    The recorders must be stopped. Interrupted, it goes on where it was when called again. Sound stays where it is.
    """
    from srs.archive.database import connect

    settings = load(config, data)
    source, target = connect(settings.database_url), connect(url)
    try:
        rows = _move(source, target)
    finally:
        source.dispose()
        target.dispose()
    place = origin("database.url", config, data)
    typer.echo(f"{rows} rows are the same in both. Now change the setting (it comes from: {place}):")
    typer.echo(f'[database]\nurl = "{target.url.render_as_string()}"')
    typer.echo("and start the recorder. The old database is as it was; remove it when the new one has proven itself.")


def _move(source: "Engine", target: "Engine") -> int:
    """Copy and compare; how many rows."""
    from srs.archive import moving

    tables = _tables()
    moving.check(source, target, tables, datetime.now(UTC))
    note(source, "migrate", "database", {"to": target.url.render_as_string()})
    total = moving.count(source, tables)
    _watch("copied", moving.copy(source, target, tables), total)
    _watch("compared", moving.compare(source, target, tables), total)
    return total


def _tables() -> "list[Table]":
    """Of all packages, those that others refer to first."""
    from sqlmodel import SQLModel

    import srs.privacy.request  # its table is not in a module of that name

    for module in walk_packages(srs.__path__, "srs."):
        if module.name.endswith(".tables"):
            import_module(module.name)
    return SQLModel.metadata.sorted_tables


def _watch(what: str, steps: "Iterable[Step]", total: int) -> None:
    """A bar for people; nothing but the end of it where nobody watches."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    shown = (TextColumn("{task.description:<30}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*shown, console=console()) as bar:
        task = bar.add_task(what, total=total)
        for step in steps:
            bar.update(task, advance=step.rows, description=f"{what} {step.table}")
        bar.update(task, description=what)
