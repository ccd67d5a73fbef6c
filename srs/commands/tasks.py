"""srs tasks: what is to be done with recordings, and what could not be done."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from srs.commands.acting import note
from srs.commands.options import AsJson, Config, Data, console, open_archive

if TYPE_CHECKING:
    from srs.handoff.tables import Task

app = typer.Typer(invoke_without_command=True, help="What is to be done with recordings: list, retry, cancel.")

SHOWN = 50
Number = Annotated[int, typer.Argument(metavar="ID", help="Number of a task.")]


@app.callback()
def list_(
    context: typer.Context,
    as_json: AsJson = False,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that need a person.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are done or cancelled.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List the tasks that are not done, those first that are due first."""
    if context.invoked_subcommand:
        return
    from srs.handoff import tasks

    _, engine, _ = open_archive(config, data)
    states = ("failed",) if failed else () if everything else ("failed", "running", "due")
    found = tasks.listing(engine, states, None if as_json else SHOWN)
    if as_json:
        for task in found:
            typer.echo(json.dumps(as_object(task), ensure_ascii=False))
    else:
        _print_table(found)


@app.command()
def retry(number: Number, config: Config = None, data: Data = None) -> None:
    """Have a task done now: one that failed, was cancelled, or is to be done later."""
    from srs.handoff import tasks

    _, engine, _ = open_archive(config, data)
    note(engine, "retry task", f"task:{number}")
    tasks.retry(engine, number, datetime.now(UTC))
    typer.echo(f"task {number} is due now")


@app.command()
def cancel(number: Number, config: Config = None, data: Data = None) -> None:
    """Have a task not done at all."""
    from srs.handoff import tasks

    _, engine, _ = open_archive(config, data)
    note(engine, "cancel task", f"task:{number}")
    tasks.cancel(engine, number, datetime.now(UTC))
    typer.echo(f"task {number} is cancelled")


def as_object(task: "Task") -> dict[str, Any]:
    """What `srs tasks --json` says of a task."""
    from srs.archive.catalogue import stamp

    names = ("id", "kind", "name", "recording_id", "state", "attempts", "last_error", "payload")
    moments = ("due_at", "created_at", "finished_at", "lease_until")
    times = {name: value and stamp(value) for name in moments for value in [getattr(task, name)]}
    return {name: getattr(task, name) for name in names} | times


def _print_table(found: "list[Task]") -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    if not found:
        typer.echo("There are no such tasks.")
        return
    table = Table("id", "what", "recording", "state", "due", "tried", "why", box=box.SIMPLE_HEAD, pad_edge=False)
    for task in found:
        what = f"{task.kind} {task.name}".strip()
        due = f"{task.due_at.astimezone():%Y-%m-%d %H:%M}"
        why = Text(task.last_error or "")
        table.add_row(str(task.id), what, (task.recording_id or "")[:8], task.state, due, str(task.attempts), why)
    console().print(table)
