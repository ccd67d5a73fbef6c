"""srs report: the data-protection report of a period."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

from srs.commands.options import Config, Data, open_archive


def report(
    since: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (UTC).")],
    until: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day (UTC).")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to: .pdf or .html.")],
    language: Annotated[Literal["nl", "en"], typer.Option(help="Of the report.")] = "nl",
    config: Config = None,
    data: Data = None,
) -> None:
    """Write a data-protection report: calls by purpose, who was told, what is kept, deleted and was asked for."""
    from srs.privacy.report import report as count
    from srs.privacy.report_pages import write

    if until < since:
        raise typer.BadParameter("--to is before --from")
    if output.suffix not in (".pdf", ".html"):
        raise typer.BadParameter("a report is written as .pdf or .html")
    settings, engine, _ = open_archive(config, data)
    begin, end = since.replace(tzinfo=UTC), until.replace(tzinfo=UTC) + timedelta(days=1)
    write(count(engine, settings, begin, end, datetime.now(UTC)), language, output)
