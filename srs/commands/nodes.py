"""srs nodes: the recorders that share the archive."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from srs.commands.acting import note
from srs.commands.options import AsJson, Config, Data, console, open_archive

app = typer.Typer(help="The recorders that share the archive.", no_args_is_help=True)


@app.command("list")
def list_(as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """List them: active, draining, stopped or dead."""
    from srs.archive import nodes

    _, engine, _ = open_archive(config, data)
    now = datetime.now(UTC)
    known = ("id", "host", "version", "started_at", "seen_at")
    rows = [
        {**{name: str(getattr(node, name)) for name in known}, "state": str(nodes.status(node, now))}
        for node in nodes.nodes(engine)
    ]
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row))
    else:
        _print(rows)


def _print(rows: list[dict[str, str]]) -> None:
    from rich import box
    from rich.table import Table

    table = Table("node", "state", "host", "version", "seen (UTC)", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(row["id"], row["state"], row["host"], row["version"], row["seen_at"][:19])
    console().print(table)


@app.command()
def drain(
    node: Annotated[str, typer.Argument(metavar="NODE", help="Id of the node.")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Have a node take no more calls and stop when those under way are over."""
    from srs.archive import nodes

    _, engine, _ = open_archive(config, data)
    note(engine, "drain", f"node:{node}")
    nodes.drain(engine, node)
    typer.echo(f"{node} drains: it refuses new calls within 10 s and stops when the others are over.")
