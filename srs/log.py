"""The log: one line for each thing that happened, on standard error; coloured on a terminal, `key=value` elsewhere."""

import sys

import structlog


def configure() -> None:
    """Set structlog up for this process."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_renderers(terminal=sys.stderr.isatty()),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def configure_command() -> None:
    """Have what a command logs go to standard error as it then is: standard output belongs to its answer."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def _renderers(*, terminal: bool) -> list[structlog.typing.Processor]:
    if terminal:
        # A plain traceback: one with local variables would put callers and sound into the log.
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    order = ["timestamp", "level", "event"]
    return [structlog.processors.format_exc_info, structlog.processors.LogfmtRenderer(key_order=order)]
