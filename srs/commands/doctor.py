"""srs doctor: will this machine record? Each finding says how to mend it."""

import errno
import os
import resource
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from srs.commands.options import Config, Data, console
from srs.config import Settings, load, names, origin
from srs.sip.address import ListenAddress

LEAST_FREE = 1 << 30
DESCRIPTORS_PER_CALL = 5
WANTED_RMEM = 4 << 20
RMEM_MAX = Path("/proc/sys/net/core/rmem_max")


@dataclass(frozen=True, slots=True)
class Finding:
    level: str
    """`ok`, `note`, or `stop` for what keeps the recorder from recording."""
    what: str
    mend: str = ""


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
    yield from check_data_dir(settings.data_dir)
    yield from check_archive(settings)
    for url in settings.sip.listen:
        yield check_port(ListenAddress.parse(url))
    yield check_descriptors(settings.media.port_range, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    yield check_receive_buffer(int(RMEM_MAX.read_text()), privileged=os.geteuid() == 0)


def check_data_dir(folder: Path) -> Iterator[Finding]:
    """Whether captures can be written, and for how long."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        yield Finding("stop", f"data folder {folder}: {error.strerror}", "choose another data_dir or make it")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Finding("stop", f"data folder {folder} is not writable", f"chown it to the user {os.geteuid()}")
        return
    free = shutil.disk_usage(folder).free
    what = f"data folder {folder}: {free / 1e9:.1f} GB free"
    yield Finding("ok", what) if free >= LEAST_FREE else Finding("stop", what, "make room, or choose another data_dir")


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


def check_port(address: ListenAddress) -> Finding:
    """Whether a SIP address can be bound; in use may well be the running recorder."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    kind = socket.SOCK_DGRAM if address.transport == "UDP" else socket.SOCK_STREAM
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind(address.address)
        except OSError as error:
            return _not_bound(address, error)
    return Finding("ok", f"{address}: free")


def _not_bound(address: ListenAddress, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        see = f"if that is not the recorder itself: ss -lnp 'sport = :{address.port}'"
        return Finding("note", f"{address}: in use", see)
    mend = "give [sip] listen an address of this host" if error.errno == errno.EADDRNOTAVAIL else "see [sip] listen"
    return Finding("stop", f"{address}: {error.strerror}", mend)


def check_descriptors(ports: tuple[int, int], limit: int) -> Finding:
    """A call of two legs takes four sockets and its capture."""
    if limit == resource.RLIM_INFINITY:
        return Finding("ok", "descriptors: no limit")
    calls, by_ports = limit // DESCRIPTORS_PER_CALL, (ports[1] + 1 - ports[0]) // 4
    what = f"descriptors: {limit}, enough for {calls} calls; [media] ports for {by_ports}"
    if calls >= by_ports:
        return Finding("ok", what)
    wanted = by_ports * DESCRIPTORS_PER_CALL + 1000
    return Finding("note", what, f"for as many calls: ulimit -n {wanted}, or LimitNOFILE={wanted} in the systemd unit")


def check_receive_buffer(rmem_max: int, *, privileged: bool) -> Finding:
    """Of a socket; it holds what comes while the recorder is busy. Root is not bound by the limit."""
    what = f"net.core.rmem_max: {rmem_max}"
    if privileged or rmem_max >= WANTED_RMEM:
        return Finding("ok", what)
    return Finding("note", what, f"against losses under load: sysctl -w net.core.rmem_max={WANTED_RMEM}")
