"""srs retention: how long recordings are kept, when the settings have changed."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from srs.commands.acting import note
from srs.commands.options import AsJson, Config, Data, console, open_archive

if TYPE_CHECKING:
    from srs.handoff.review import Preview

app = typer.Typer(no_args_is_help=True, help="Periods of recordings: what changed settings would do, and doing it.")

ROWS = {"now": "deleted at once", "week": "within 7 days", "later": "later", "never": "kept until somebody deletes"}


@app.command()
def preview(as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """Compare the settings with what is in force for the recordings there are; changes nothing."""
    from srs.handoff import review

    settings, engine, _ = open_archive(config, data)
    found = review.preview(engine, settings, datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    else:
        _print(found)


@app.command()
def apply(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Put the settings in force for the recordings there are. A legal hold is not shortened."""
    from srs.handoff import review

    settings, engine, _ = open_archive(config, data)
    now = datetime.now(UTC)
    if not yes:
        _print(review.preview(engine, settings, now))
        typer.confirm("Put this in force?", abort=True)
    note(engine, "retention", "recordings", {"rule": settings.retention.model_dump(mode="json")})
    typer.echo(f"{review.apply(engine, settings, now)} recordings have another period now")


def _print(found: "Preview") -> None:
    from rich import box
    from rich.table import Table

    table = Table("recordings", "in force", "by the settings", box=box.SIMPLE_HEAD, pad_edge=False)
    before, after = asdict(found.in_force), asdict(found.by_settings)
    for name, words in ROWS.items():
        table.add_row(words, str(before[name]), str(after[name]))
    console().print(table)
    typer.echo(f"{found.sooner} sooner, {found.later} later than now; {found.held} under legal hold")
