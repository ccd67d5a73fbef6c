"""The command `srs`. Each command is a function in srs/commands; what it needs it imports when it runs."""

import os
from typing import Annotated

import typer

from srs.archive.errors import ArchiveError
from srs.commands import (
    audit,
    call,
    case,
    change,
    doctor,
    importing,
    listing,
    moving,
    nodes,
    operating,
    privacy,
    reconcile,
    report,
    restart,
    retention,
    rights,
    selftest,
    serve,
    tasks,
    users,
)
from srs.config import SettingsError
from srs.control import ControlError

app = typer.Typer(
    name="srs",
    help="A SIPREC session recording server: every call kept as a sound file, with who spoke and when.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command("serve")(serve.serve)
app.command("restart")(restart.restart)
app.command("call")(call.call)
app.command("list")(listing.list_)
app.command("show")(listing.show)
app.command("export")(change.export)
app.command("delete")(change.delete)
app.command("hold")(change.hold)
app.command("pause")(operating.pause)
app.command("resume")(operating.resume)
app.command("stop")(operating.stop)
app.command("import")(importing.import_)
app.command("reconcile")(reconcile.reconcile)
app.command("doctor")(doctor.doctor)
app.add_typer(tasks.app, name="tasks")
app.add_typer(retention.app, name="retention")
app.command("selftest")(selftest.selftest)
app.command("purposes")(privacy.purposes)
app.command("notices")(privacy.notices)
app.add_typer(privacy.keys, name="keys")
app.command("person")(rights.person)
app.command("access")(rights.access)
app.command("erase")(rights.erase)
app.command("restrict")(rights.restrict)
app.command("holds")(rights.holds)
app.command("report")(report.report)
app.add_typer(nodes.app, name="nodes")
app.command("migrate-to")(moving.migrate_to)
app.command("staff-notice")(report.staff_notice)
app.add_typer(users.app, name="users")
app.add_typer(users.tokens, name="tokens")
app.add_typer(users.grants, name="grants")
app.add_typer(audit.app, name="audit")
app.add_typer(case.app, name="case")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # 25 ms that no other command needs

        typer.echo(f"srs {version('siprec-srs')}")
        raise typer.Exit


@app.callback()
def _srs(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version.")] = False,
) -> None:
    os.umask(0o077)  # recordings are nobody else's business


def main() -> None:
    """Run one command. What goes wrong is told in one sentence; exit status 1, or 2 for usage and settings."""
    try:
        app()
    except SettingsError as error:
        _fail(str(error), 2)
    except (ArchiveError, ControlError) as error:
        _fail(str(error), 1)
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)


def _fail(message: str, status: int) -> None:
    for line in message.splitlines():
        typer.echo(f"srs: {line}", err=True)
    raise SystemExit(status)


if __name__ == "__main__":
    main()
