"""srs audit: what was done, by whom, and whether that record is whole."""

import csv
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from srs.commands.acting import note
from srs.commands.options import AsJson, Config, Data, console, open_archive

if TYPE_CHECKING:
    from srs.privacy.audit import Wanted

app = typer.Typer(help="What was done, by whom, and whether that record is whole.", no_args_is_help=True)

Who = Annotated[str | None, typer.Option(metavar="NAME", help="Only by: user:ANN, cli:root; may end with *.")]
Action = Annotated[str | None, typer.Option(metavar="NAME", help="Only this: play, export, delete …")]
On = Annotated[str | None, typer.Option("--on", metavar="TEXT", help="Only on this: recording:ID; may end with *.")]
Since = Annotated[datetime | None, typer.Option(help="Only from then on.")]
Until = Annotated[datetime | None, typer.Option(help="Only before then.")]
Refused = Annotated[bool, typer.Option("--refused", help="Only what was refused or failed.")]


def _wanted(
    who: str | None, action: str | None, on: str | None, since: datetime | None, until: datetime | None, refused: bool
) -> "Wanted":
    from srs.privacy.audit import Wanted

    return Wanted(who, action, on, since and since.astimezone(UTC), until and until.astimezone(UTC), refused or None)


@app.command("list")
def list_(
    who: Who = None,
    action: Action = None,
    on: On = None,
    since: Since = None,
    until: Until = None,
    refused: Refused = False,
    limit: Annotated[int, typer.Option(min=1, help="The last so many.")] = 50,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List what was done, oldest first."""
    from srs.privacy import audit

    _, engine, _ = open_archive(config, data)
    wanted = _wanted(who, action, on, since, until, refused)
    for entry in reversed(audit.entries(engine, wanted, newest_first=True, limit=limit)):
        if as_json:
            typer.echo(json.dumps(audit.described(entry), ensure_ascii=False))
        else:
            outcome = "" if entry.allowed else "  REFUSED"
            why = f"  ({entry.reason})" if entry.reason else ""
            line = f"{entry.sequence:>6} {entry.at[:19]} {entry.who}@{entry.origin} {entry.action} {entry.subject}"
            console().print(line + why + outcome, markup=False, soft_wrap=True)


@app.command()
def verify(config: Config = None, data: Data = None) -> None:
    """Check the chain and every checkpoint; exit status 1 if anything was changed, moved, added or taken out."""
    from srs.archive.database import reading
    from srs.privacy import audit, checkpoints
    from srs.privacy.cases import journal
    from srs.privacy.cases.cabinet import Cabinet

    settings, engine, store = open_archive(config, data)
    found = [*checkpoints.verify(engine, settings), *journal.broken(Cabinet(settings, engine, store))]
    for wrong in found:
        typer.echo(f"srs: {wrong}", err=True)
    if found:
        raise typer.Exit(1)
    with reading(engine) as session:
        last = audit.newest(session)
    typer.echo(f"whole: {0 if last is None else last.sequence} entries; key {checkpoints.public_key(settings)}")


@app.command()
def checkpoint(config: Config = None, data: Data = None) -> None:
    """Write a signed checkpoint now; the recorder does so every ten minutes."""
    from srs.privacy import checkpoints

    settings, engine, _ = open_archive(config, data)
    for path in checkpoints.write(engine, settings, datetime.now(UTC)):
        typer.echo(path)


@app.command()
def export(
    kind: Annotated[str, typer.Option("--format", help="csv or json (an object a line).")] = "csv",
    who: Who = None,
    action: Action = None,
    on: On = None,
    since: Since = None,
    until: Until = None,
    refused: Refused = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Write entries to standard output, with all that their hashes are computed from."""
    from srs.privacy import audit

    if kind not in ("csv", "json"):
        raise typer.BadParameter("--format must be csv or json")
    _, engine, _ = open_archive(config, data)
    note(engine, "export", "audit", {"format": kind})
    found = [audit.described(each) for each in audit.entries(engine, _wanted(who, action, on, since, until, refused))]
    if kind == "json":
        for entry in found:
            typer.echo(json.dumps(entry, ensure_ascii=False))
        return
    writer = csv.writer(sys.stdout)
    writer.writerow((*audit.HASHED, "hash"))
    writer.writerows([_cell(value) for value in entry.values()] for entry in found)


def _cell(value: object) -> object:
    """As a spreadsheet takes it: no formula, whatever somebody called themselves."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
