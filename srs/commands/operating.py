"""srs pause, resume, stop: what is recorded of a call under way."""

import typer

from srs.commands.acting import account, acting
from srs.commands.options import Config, Data, Id, open_archive
from srs.control import Order, ask
from srs.siprec import operator


def pause(id_: Id, config: Config = None, data: Data = None) -> None:
    """Keep nothing of a call under way from now on, as when a card number is read out; it goes on as silence."""
    _order(operator.PAUSE, id_, config, data)
    typer.echo("paused: nothing is kept until srs resume")


def resume(id_: Id, config: Config = None, data: Data = None) -> None:
    """Keep a call again that was paused."""
    _order(operator.RESUME, id_, config, data)
    typer.echo("resumed")


def stop(id_: Id, config: Config = None, data: Data = None) -> None:
    """End the recording of a call under way; what was recorded so far is kept."""
    _order(operator.STOP, id_, config, data)
    typer.echo("stopped")


def _order(act: str, id_: str, config: Config, data: Data) -> None:
    settings, engine, _ = open_archive(config, data)
    with acting(engine, settings, id_, act) as row:
        ask(settings.data_dir, Order(act, row.id, account()))
