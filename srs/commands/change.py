"""srs export, delete, hold: what can be done with recordings."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srs.commands.acting import account, acting
from srs.commands.options import Config, Data, Id, open_archive

if TYPE_CHECKING:
    from srs.archive.tables import Recording

FORMATS = ("wav", "mp3", "flac", "opus", "pcap", "vcon", "json")


def _format(value: str | None) -> str | None:
    if value is not None and value not in FORMATS:
        raise typer.BadParameter(f"must be one of {', '.join(FORMATS)}")
    return value


def export(
    id_: Id,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to.")],
    kind: Annotated[
        str | None,
        typer.Option("--format", callback=_format, help=f"{', '.join(FORMATS)}. [default: as the file's name ends]"),
    ] = None,
    purpose: Annotated[
        str | None, typer.Option(metavar="NAME", help="What it is wanted for; must be what it is kept for.")
    ] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Write the sound of a recording to a file.

    As vcon with parties and history, signed if [vcon] has a key; as json its facts alone; as pcap its packets, where
    not all of them could be decoded.
    """
    from srs.archive.export import export as write
    from srs.archive.export import export_capture, export_facts, export_vcon
    from srs.privacy.purpose import check_use

    kind = kind or output.suffix[1:].lower()
    if kind not in FORMATS:
        raise typer.BadParameter(f"which format? --format must be one of {', '.join(FORMATS)}")
    settings, engine, store = open_archive(config, data)
    with acting(engine, settings, id_, "export", reason=purpose, format=kind) as row:
        if kind != "json":  # which has no sound
            check_use(row, purpose, settings)
        match kind:
            case "pcap":
                export_capture(row, settings.data_dir, output)
            case "vcon":
                export_vcon(row, store, settings.vcon.signer, output, datetime.now(UTC))
            case "json":
                export_facts(row, engine, store, output)
            case _:
                write(row, store, kind, output)


def delete(
    id_: Id,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Delete the sound of a recording for good; that there was one stays known."""
    from srs.handoff.delete import delete as delete_now

    settings, engine, store = open_archive(config, data)
    with acting(engine, settings, id_, "delete") as row:
        if not yes:
            _ask(row)
        delete_now(engine, store, settings, row.id, datetime.now(UTC), "by hand: srs delete", account())
    typer.echo(f"deleted {row.id}")


def _ask(row: "Recording") -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody to ask: say --yes to delete")
    start = f"{row.started_at.astimezone():%Y-%m-%d %H:%M}"
    typer.confirm(f"Delete the sound of {row.id}, {row.caller} → {row.callee}, {start}?", abort=True)


def hold(
    id_: Id,
    release: Annotated[bool, typer.Option("--release", help="Release it.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Put a recording under legal hold: it cannot be deleted."""
    from srs.archive import catalogue

    settings, engine, _ = open_archive(config, data)
    with acting(engine, settings, id_, "release" if release else "hold") as row:
        catalogue.hold(engine, row.id, held=not release)
    typer.echo(f"{'released' if release else 'held'} {row.id}")
