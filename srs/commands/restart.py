"""srs restart."""

import signal

import typer

from srs.commands.options import Config, Data
from srs.config import load


def restart(config: Config = None, data: Data = None) -> None:
    """Replace the running recorder's processes one by one, for a new release or settings; calls go on."""
    from srs.capture import lock

    pid = lock.tell(load(config, data).data_dir, signal.SIGHUP)
    typer.echo(f"recorder {pid} replaces its processes; its log tells when each is replaced")
