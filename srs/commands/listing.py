"""srs list, srs show: what there is."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from srs.commands.acting import acting, note_or_warn
from srs.commands.options import AsJson, Config, Data, Id, console, open_archive

if TYPE_CHECKING:
    from srs.archive.tables import Recording

STATES = ("recording", "captured", "ready", "failed", "deleted")


def _state(value: str | None) -> str | None:
    if value is not None and value not in STATES:
        raise typer.BadParameter(f"must be one of {', '.join(STATES)}")
    return value


def list_(
    as_json: AsJson = False,
    state: Annotated[str | None, typer.Option(callback=_state, help=f"Only: {', '.join(STATES)}.")] = None,
    caller: Annotated[str | None, typer.Option(metavar="TEXT", help="Only with this in a party's address.")] = None,
    identifier: Annotated[
        str | None,
        typer.Option("--id", metavar="VALUE", help="Only with this UCID, GUID, Call-ID or the like."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many. [default: all as JSON, else 50]")] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """List the recordings, newest first."""
    from srs.archive.catalogue import Filter, entries
    from srs.archive.catalogue import as_json as described
    from srs.archive.tables import State

    settings, engine, store = open_archive(config, data)
    wanted = Filter(State(state) if state else None, caller, identifier, limit or (None if as_json else 50))
    asked = {"state": state, "party": caller, "identifier": identifier, "limit": limit}
    note_or_warn(engine, "list", "recordings", asked)
    found = entries(engine, settings.data_dir, wanted)
    if as_json:
        for row in found:
            typer.echo(json.dumps(described(row, store), ensure_ascii=False))
    else:
        _print_table(found)


def _print_table(found: "list[Recording]") -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    if not found:
        typer.echo("There are no such recordings.")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, options in _COLUMNS.items():
        table.add_column(name, **options)
    for row in found:
        start = f"{row.started_at.astimezone():%Y-%m-%d %H:%M:%S}"
        parties = (Text(short(row.caller)), Text(short(row.callee)))
        table.add_row(row.id[:8], start, duration(row.duration_s), *parties, row.state + (" held" if row.held else ""))
    console().print(table)


_COLUMNS: dict[str, dict[str, Any]] = {
    "id": {"no_wrap": True},
    "start": {"no_wrap": True},
    "length": {"no_wrap": True, "justify": "right"},
    "caller": {"overflow": "ellipsis", "no_wrap": True},
    "callee": {"overflow": "ellipsis", "no_wrap": True},
    "state": {"no_wrap": True},
}


def _picture(value: Path | None) -> Path | None:
    if value is not None and value.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise typer.BadParameter("the name must end in .png, .svg or .pdf")
    return value


def show(
    id_: Id,
    as_json: AsJson = False,
    plot: Annotated[
        Path | None, typer.Option(callback=_picture, metavar="FILE", help="A picture: .png, .svg, .pdf.")
    ] = None,
    purpose: Annotated[
        str | None, typer.Option(metavar="NAME", help="What a picture is wanted for; must be what it is kept for.")
    ] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Show all that is known of one recording, or draw it: its sound, losses, pauses and keys on one time axis."""
    from srs.archive.catalogue import details

    settings, engine, store = open_archive(config, data)
    if plot is not None:
        from srs.archive.plot import draw  # matplotlib takes a second
        from srs.privacy.purpose import check_use

        with acting(engine, settings, id_, "draw", reason=purpose) as row:
            check_use(row, purpose, settings)
            draw(row, store, plot)
        return
    with acting(engine, settings, id_, "show") as row:
        known = details(engine, row, store)
    if as_json:
        typer.echo(json.dumps(known, ensure_ascii=False, indent=2))
    else:
        _print_details(known)


def _print_details(known: dict[str, Any]) -> None:
    from rich.text import Text

    known["identifiers"] = [f"{each['kind']} {each['value']}" for each in known["identifiers"]]
    known["purpose"] = known["purpose"] or "unassigned"
    legs, leg_facts, facts = known.pop("legs"), known.pop("leg_facts"), known.pop("facts")
    lines = [_line(name, value) for name, value in {**known, **facts}.items() if value not in (None, [], {}, "")]
    for channel, (leg, more) in enumerate(zip(legs, leg_facts, strict=True)):
        more["quality"] = _quality(more.get("quality") or {})
        lines.append(f"\nchannel {channel + 1}")
        lines += [
            _line(f"  {name}", value) for name, value in {**leg, **more}.items() if value not in (None, [], {}, "")
        ]
    console().print(Text("\n".join(lines)))


def _quality(told: dict[str, Any]) -> str:
    """How well a leg came and how it sounds, in words."""
    if not told:
        return ""
    words = [
        "MOS not known" if told["mos"] is None else f"MOS {told['mos']} (R {told['r']})",
        f"{100 * told['loss']:.2f} % lost, {told['bursts']} bursts of {told['burst_packets']:g} packets",
        f"jitter {told['jitter_ms']:.1f} ms, at most {told['jitter_most_ms']:.1f}",
        "" if told["level_dbov"] is None else f"level {told['level_dbov']} dBov",
        f"{100 * told['silence']:.0f} % silence",
        f"{100 * told['clipped']:.3f} % clipped",
    ]
    return "; ".join(filter(None, words))


def _line(name: str, value: object) -> str:
    return f"{name.replace('_', ' '):<16} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"


def short(party: str | None) -> str:
    """An address of record without scheme and parameters."""
    return (party or "").removeprefix("sip:").removeprefix("sips:").partition(";")[0]


def duration(seconds: float) -> str:
    """H:MM:SS."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
