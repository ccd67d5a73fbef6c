"""srs doctor: will this machine record? Each finding says how to mend it."""

import contextlib
import os
import resource
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer

from srs.commands import machine
from srs.commands.machine import Finding
from srs.commands.options import Config, Data, console
from srs.config import Settings, load, names, origin
from srs.sip.address import ListenAddress

LEAST_DAYS = 30


def doctor(
    call: Annotated[
        bool, typer.Option("--call", help="Explain the last call that was refused, or that of CALL-ID.")
    ] = False,
    call_id: Annotated[str | None, typer.Argument(metavar="[CALL-ID]", show_default=False)] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Check settings, disk, ports and limits; exit status 1 if something would stop the recorder."""
    settings = load(config, data)
    if call or call_id is not None:
        for line in explain_call(settings, call_id):
            typer.echo(line)
        return
    screen = console()
    for name, _ in names():
        screen.print(f"{name:<14} {_value(settings, name)}  ({origin(name, config, data)})", markup=False)
    screen.print()
    findings = list(examine(settings))
    for finding in findings:
        screen.print(f"{finding.level:<5}{finding.what}", markup=False)
        if finding.mend:
            screen.print(f"     → {finding.mend}", markup=False)
    if any(finding.level == "stop" for finding in findings):
        raise typer.Exit(1)


def explain_call(settings: Settings, call_id: str | None) -> Iterator[str]:
    """Why a call was refused and what was odd about it, in lines."""
    from srs.archive.catalogue import Filter, entries
    from srs.archive.database import connect
    from srs.capture import refusals
    from srs.commands import explain

    refused = explain.choose(refusals.read(settings.data_dir), call_id)
    if refused is not None:
        yield from explain.explain(refused)
    if call_id is None:
        if refused is None:
            yield "No call was refused."
        return
    rows = entries(connect(settings.database_url), settings.data_dir, Filter(identifier=call_id))
    for row in rows:
        yield from explain.oddities(row)
    if refused is None and not rows:
        yield f"Nothing is known of a call {call_id}: its INVITE did not come here, or is among the older refusals."


def _value(settings: Settings, name: str) -> str:
    value: object = settings
    for part in name.split("."):
        value = getattr(value, part)
    if name == "database.url" and value:
        from sqlalchemy.engine import make_url

        return make_url(str(value)).render_as_string(hide_password=True)
    if isinstance(value, list):
        return ", ".join(str(getattr(each, "name", each)) for each in value)
    return "-" if value is None else str(value)


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings, in the order in which they should be mended."""
    yield from machine.check_data_dir(settings.data_dir)
    yield from check_archive(settings)
    yield from check_growth(settings)
    yield from check_rules(settings)
    for url in settings.sip.listen:
        yield machine.check_port(ListenAddress.parse(url))
    yield machine.check_media_ports(settings.media.port_range, machine.ephemeral_ports())
    yield machine.check_descriptors(settings.media.port_range, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    yield machine.check_receive_buffer(int(machine.RMEM_MAX.read_text()), privileged=os.geteuid() == 0)
    first, last = settings.media.port_range
    calls = settings.admission.calls or (last + 1 - first) // 4
    yield machine.check_udp_memory([int(each) for each in machine.UDP_MEM.read_text().split()], calls)
    yield machine.check_priority()
    yield machine.check_clock(synchronised=machine.is_clock_synchronised())


def check_archive(settings: Settings) -> Iterator[Finding]:
    """Whether database and store answer. Calls are recorded without them; they wait as captures."""
    from srs.archive.database import connect
    from srs.archive.errors import ArchiveError
    from srs.archive.store import open_store

    def database() -> None:
        connect(settings.database_url).dispose()

    def store() -> None:
        open_store(settings.store_url).size("doctor")

    for setting, reach in (("[database] url", database), ("[store] url", store)):
        try:
            reach()
        except ArchiveError as error:
            yield Finding("note", f"{error}", f"mend {setting} or what it names; until then captures wait")
        else:
            yield Finding("ok", f"{setting}: answers")


def check_growth(settings: Settings) -> Iterator[Finding]:
    """When the disk will be full, if recordings come as in the last days and none is deleted."""
    from srs.archive.database import connect
    from srs.archive.errors import ArchiveError
    from srs.handoff.forecast import octets_a_day
    from srs.handoff.prune import free, is_on_disk_of

    if not settings.data_dir.is_dir() or not is_on_disk_of(settings.data_dir, settings.store_url):
        return
    with contextlib.suppress(ArchiveError):  # told above
        engine = connect(settings.database_url)
        rate = octets_a_day(engine, datetime.now(UTC))
        engine.dispose()
        days = free(settings.data_dir) / rate if rate else float("inf")
        what = f"{rate / 1e9:.2f} GB of recordings a day in the last days"
        if days > LEAST_DAYS:
            yield Finding("ok", f"{what}: room for {days:.0f} days" if rate else what)
        else:
            yield Finding("note", f"{what}: full in {days:.0f} days", "make room, or shorten [retention] keep_days")


def check_rules(settings: Settings) -> Iterator[Finding]:
    """Whether every rule is for some recording."""
    from srs.archive.database import connect
    from srs.archive.errors import ArchiveError
    from srs.handoff.idle import idle_rules

    if not settings.data_dir.is_dir():
        return
    with contextlib.suppress(ArchiveError):  # told above
        engine = connect(settings.database_url)
        for what in idle_rules(engine, settings):
            yield Finding("note", what, "look at its match, docs/rules.md says how it is read")
        engine.dispose()
