"""srs person, access, erase, restrict, holds: for those who were recorded."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srs.commands.acting import account, note, note_or_warn
from srs.commands.listing import short
from srs.commands.options import AsJson, Config, Data, open_archive

if TYPE_CHECKING:
    from srs.archive.tables import Recording
    from srs.privacy.rights import Desk

Person = Annotated[str, typer.Argument(metavar="NUMBER", help="Number, address or name of somebody.")]
Receipt = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where the receipt goes (JSON), instead of here.")
]


def _desk(config: Path | None, data: Path | None) -> "Desk":
    from srs.privacy.rights import Desk

    return Desk(*open_archive(config, data), account(), "cli")


def person(who: Person, as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """Find every recording of somebody, also those whose sound is gone."""
    from srs.archive.catalogue import as_json as described
    from srs.privacy.person import recordings_of

    _, engine, store = open_archive(config, data)
    note(engine, "person", f"person:{who}")
    found = recordings_of(engine, who)
    for row in found:
        typer.echo(json.dumps(described(row, store), ensure_ascii=False) if as_json else _line(row))
    if not found and not as_json:
        typer.echo("There is no recording of that.")


def _line(row: "Recording") -> str:
    sound = "no sound" if row.file is None else "under legal hold" if row.held else "sound"
    parties = f"{short(row.caller)} → {short(row.callee)}"
    return (
        f"{row.id[:8]}  {row.started_at.astimezone():%Y-%m-%d %H:%M}  {parties}  {row.purpose or 'unassigned'}  {sound}"
    )


def access(
    who: Person,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder that it is written to.")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Write what somebody said in every call, the other parties silenced, and what is known of each call."""
    desk = _desk(config, data)
    note(desk.engine, "access", f"person:{who}", {"to": str(output)})
    results = desk.access(who, output, datetime.now(UTC))
    for recording, result in results.items():
        typer.echo(f"{recording[:8]}  {result}")
    typer.echo(f"{len(results)} recordings: {output / 'recordings.json'}")


def erase(
    who: Person,
    output: Receipt = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Erase every recording of somebody; the receipt lists every copy that is known. Legal holds stay."""
    desk, now = _desk(config, data), datetime.now(UTC)
    if not yes:
        typer.confirm(f"Erase every recording of {who} for good?", abort=True)
    note(desk.engine, "erase", f"person:{who}")
    receipt = json.dumps(desk.receipt(who, desk.erase(who, now), now), ensure_ascii=False, indent=2)
    if output is None:
        typer.echo(receipt)
    else:
        output.write_text(receipt + "\n")


def restrict(
    who: Person,
    release: Annotated[bool, typer.Option("--release", help="End the restriction.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Hold every recording of somebody: nothing deletes them."""
    desk = _desk(config, data)
    note(desk.engine, "release" if release else "restrict", f"person:{who}")
    for recording, result in desk.restrict(who, datetime.now(UTC), held=not release).items():
        typer.echo(f"{result} {recording}")


def holds(as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """List the recordings under legal hold."""
    from srs.archive.catalogue import as_json as described
    from srs.privacy.rights import held_recordings

    _, engine, store = open_archive(config, data)
    note_or_warn(engine, "list", "holds", {})
    for row in held_recordings(engine):
        typer.echo(json.dumps(described(row, store), ensure_ascii=False) if as_json else _line(row))
