"""srs report, srs staff-notice: what is told of a period, to those who answer for it and to those who were recorded."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

from srs.commands.acting import note
from srs.commands.options import Config, Data, open_archive

From = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (UTC).")]
To = Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day (UTC).")]


def report(
    since: From,
    until: To,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to: .pdf or .html.")],
    language: Annotated[Literal["nl", "en"], typer.Option(help="Of the report.")] = "nl",
    config: Config = None,
    data: Data = None,
) -> None:
    """Write a data-protection report: calls by purpose, who was told, what is kept, deleted and was asked for."""
    from srs.privacy.report import report as count
    from srs.privacy.report_pages import write

    if output.suffix not in (".pdf", ".html"):
        raise typer.BadParameter("a report is written as .pdf or .html")
    settings, engine, _ = open_archive(config, data)
    note(engine, "report", "recordings", {"from": f"{since:%Y-%m-%d}", "to": f"{until:%Y-%m-%d}"})
    write(count(engine, settings, *_period(since, until), datetime.now(UTC)), language, output)


def staff_notice(
    since: From,
    until: To,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of the mails (.eml).")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Write a mail to each employee who was recorded in a period: how often and what for."""
    from srs.privacy.staff import message, samples

    settings, engine, _ = open_archive(config, data)
    period = _period(since, until)
    found = samples(engine, settings, *period)
    output.mkdir(parents=True, exist_ok=True, mode=0o700)
    for sample in found:
        (output / f"{sample.user.id}.eml").write_bytes(bytes(message(sample, *period)))
        typer.echo(f"{sample.user.id}.eml  {sample.user.mail or 'no address: hand it over'}")
    typer.echo(f"{len(found)} employees were recorded")


def _period(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """From the start of the first day to the end of the last."""
    if until < since:
        raise typer.BadParameter("--to is before --from")
    return since.replace(tzinfo=UTC), until.replace(tzinfo=UTC) + timedelta(days=1)
