"""srs serve."""

from srs.commands.options import Config, Data
from srs.config import load


def serve(config: Config = None, data: Data = None) -> None:
    """Record: take SIPREC calls until SIGTERM (running calls may end first) or Ctrl-C."""
    from srs import log
    from srs.capture import keeper

    log.configure()
    arguments = [*(["--config", str(config)] if config else []), *(["--data", str(data)] if data else [])]
    keeper.run(load(config, data), arguments)
