"""srs purposes, notices, keys: why calls are recorded, who was told, who can open them."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from srs.commands.acting import attempting, note_or_warn
from srs.commands.listing import short
from srs.commands.options import AsJson, Config, Data, console, open_archive
from srs.config import load

if TYPE_CHECKING:
    from srs.archive.tables import Recording

KeyName = Annotated[str, typer.Argument(metavar="NAME", help="Of the key.")]

keys = typer.Typer(help="The keys that sound is sealed for (age).", no_args_is_help=True)


def purposes(as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """List the purposes: basis, days that recordings are kept, notice, key, what the caller is told."""
    from srs.config.privacy import purposes as all_purposes

    settings = load(config, data)
    for purpose in all_purposes(settings.purpose).values():
        if as_json:
            typer.echo(json.dumps(purpose.model_dump(mode="json"), ensure_ascii=False))
            continue
        typer.echo(purpose.name)
        rows = {
            "basis": purpose.basis,
            "kept": "as [retention]" if purpose.keep_days is None else f"{purpose.keep_days} days",
            "listen": ", ".join(purpose.listen) or "those who may listen",
            "also for": ", ".join(purpose.fits),
            "notice": "not looked for" if purpose.notice is None else str(purpose.notice),
            "key": purpose.key or settings.privacy.key or "not sealed",
            "nl": purpose.text_nl,
            "en": purpose.text_en,
        }
        typer.echo("\n".join(f"  {name:<9}{value}" for name, value in rows.items() if value))
    if not as_json:
        kept = f"kept {settings.privacy.unassigned_days} days"
        typer.echo(f"unassigned\n  {kept if settings.privacy.unassigned == 'keep' else 'not kept'}")


def notices(
    days: Annotated[int, typer.Option(min=1, help="Of the last so many days.")] = 1,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List the calls in which somebody was not told that they are recorded."""
    from srs.privacy.untold import told_and_untold, untold

    _, engine, _ = open_archive(config, data)
    note_or_warn(engine, "list", "notices", {"days": days})
    until = datetime.now(UTC)
    since = until - timedelta(days=days)
    told, without = told_and_untold(engine, since, until)
    for row in untold(engine, since, until):
        typer.echo(json.dumps(_untold(row), ensure_ascii=False) if as_json else _line(row))
    if not as_json:
        typer.echo(f"{without} of {told + without} calls without notice")


def _untold(row: "Recording") -> dict[str, object]:
    missing = [notice.party for notice in row.notices if notice.state == "missing"]
    return {"id": row.id, "started_at": row.started_at.isoformat(), "purpose": row.purpose, "not_told": missing}


def _line(row: "Recording") -> str:
    missing = ", ".join(short(notice.party) for notice in row.notices if notice.state == "missing")
    return f"{row.id[:8]}  {row.started_at.astimezone():%Y-%m-%d %H:%M}  {row.purpose}: {missing} not told"


@keys.command("list")
def list_keys(config: Config = None, data: Data = None) -> None:
    """List the keys, and whether what is sealed for them can be opened here."""
    from srs.archive.sealed import counts

    _, engine, store = open_archive(config, data)
    sealed = counts(engine)
    for name in sorted({*store.keys.names(), *sealed}):
        here = "opens here" if store.keys.opens(name) else "does not open here"
        console().print(f"{name:<20} {here}, {sealed.get(name, 0)} recordings", markup=False)


@keys.command("new")
def new_key(name: KeyName, config: Config = None, data: Data = None) -> None:
    """Make a key; take NAME.key off this machine where it is not to play."""
    from srs.archive.seal import Keys

    settings, engine, _ = open_archive(config, data)
    made = Keys(settings.keys_dir)
    with attempting(engine, "new key", f"key:{name}"):
        public = made.make(name)
    typer.echo(f"{public}\n{made.folder / name}.key opens what is sealed for it: keep a copy in a safe place")


@keys.command("destroy")
def destroy_key(
    name: KeyName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Destroy a key: whatever is sealed for it can never be read again, wherever copies are."""
    from srs.archive.sealed import destroy_key as destroy
    from srs.privacy.purpose import check_not_in_use

    settings, engine, store = open_archive(config, data)
    if not yes:
        typer.confirm(f"Destroy key {name}? What is sealed for it is lost for good.", abort=True)
    with attempting(engine, "destroy key", f"key:{name}"):
        check_not_in_use(name, settings)
        count = destroy(engine, store.keys, name)
    typer.echo(f"destroyed {name}: {count} recordings can be read no more, by nobody who has no copy of it")
