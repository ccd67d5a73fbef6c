"""srs reconcile: were all calls recorded?"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srs.commands.options import AsJson, Config, Data, console, open_archive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from srs.archive.reconcile import Finding


def reconcile(
    calls: Annotated[Path, typer.Argument(metavar="FILE", help="List of calls: CSV with a heading, or JSON.")],
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Compare a list of calls with the recordings; [reconcile] tells its columns.

    Lists what is missing, short, recorded twice or without notice; exit status 1 if there is any such call.
    """
    from srs.archive import cdr
    from srs.archive.reconcile import compare, note, recordings

    settings, engine, _ = open_archive(config, data)
    listed = cdr.read(calls, settings.reconcile)
    found = compare(listed, recordings(engine, listed, settings.reconcile), settings.reconcile)
    note(engine, str(calls), found, datetime.now(UTC))
    wrong = [each for each in found if not each.is_right]
    if as_json:
        for each in found:
            typer.echo(json.dumps(asdict(each), ensure_ascii=False, default=str))
    else:
        _print(wrong, len(found))
    raise typer.Exit(1 if wrong else 0)


def _print(wrong: "list[Finding]", calls: int) -> None:
    from rich import box
    from rich.table import Table

    typer.echo(f"{calls} calls, {calls - len(wrong)} recorded once and whole, and nobody left untold.")
    if not wrong:
        return
    table = Table("line", "began (UTC)", "caller", "callee", "what", "recordings", box=box.SIMPLE_HEAD, pad_edge=False)
    for each in wrong:
        began = each.cdr.started_at.strftime("%Y-%m-%d %H:%M:%S")
        ids = " ".join(each.recordings)
        table.add_row(str(each.cdr.line), began, each.cdr.caller, each.cdr.callee, ", ".join(_wrongs(each)), ids)
    console().print(table)


def _wrongs(each: "Finding") -> "Iterator[str]":
    if each.verdict == "short":
        yield f"short by {each.lacks_s:.0f} s"
    elif each.verdict != "recorded":
        yield each.verdict
    if each.without_notice:
        yield "without notice"
