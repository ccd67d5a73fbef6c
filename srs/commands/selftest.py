"""srs selftest."""

from typing import Annotated

import typer

from srs.commands.options import Config, Data, console, open_archive


def selftest(
    mailbox: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Mail it there by [[mail.server]]. [default: to a server of its own]"),
    ] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Call the running recorder and follow the call to its deletion; exit status 1 if a link of the chain fails."""
    from srs import log
    from srs.selftest import Trial, run

    log.configure_command()

    screen = console()
    settings, engine, store = open_archive(config, data)
    failed = False
    for link, wrong in run(Trial(settings, engine, store, mailbox)):
        failed = failed or wrong is not None
        screen.print(f"{'ok' if wrong is None else 'FAIL':<5}{link}{f': {wrong}' if wrong else ''}", markup=False)
    if failed:
        raise typer.Exit(1)
