"""srs import: captures that others made become recordings, one by one or as they fall into a folder."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srs.commands.acting import note
from srs.commands.options import Config, Data
from srs.config import load

if TYPE_CHECKING:
    from srs.archive.intake import Call, Taken
    from srs.archive.keep import Archive

REST_S = 3.0
"""A file whose size did not change for so long is complete."""
SUFFIXES = (".pcap", ".pcapng", ".cap")


def import_(
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE…", help="Captures, pcap or pcapng.")] = None,
    watch: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Take what falls into a folder; then it goes to done/ or failed/."),
    ] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Take captures into the archive: SIPREC, or ordinary calls of a mirror port.

    Prints the ids of the recordings, and beside them what was made of each capture and what was left out.
    """
    from srs import log
    from srs.assembly import open_archive

    log.configure_command()

    if bool(files) == bool(watch):
        raise typer.BadParameter("give captures, or a folder to --watch")
    archive = open_archive(load(config, data))
    if watch is not None:
        note(archive.engine, "import", "recordings", {"watched": str(watch)})
        _follow(archive, watch)
        return
    note(archive.engine, "import", "recordings", {"files": [str(file) for file in files or []]})
    fine = [_take(archive, file) for file in files or []]
    if not all(fine):
        raise typer.Exit(1)


def _follow(archive: "Archive", folder: Path) -> None:
    """Take the captures of a folder until interrupted."""
    seen: dict[Path, int] = {}
    while True:
        sizes = {path: path.stat().st_size for path in folder.iterdir() if path.suffix in SUFFIXES}
        for path in [path for path, size in sizes.items() if seen.get(path) == size]:
            aside = folder / ("done" if _take(archive, path) else "failed")
            aside.mkdir(exist_ok=True)
            path.rename(aside / path.name)
            del sizes[path]
        seen = sizes
        time.sleep(REST_S)


def _take(archive: "Archive", file: Path) -> bool:
    """Take the calls of one capture; returns whether there was one and all of them became recordings."""
    from rtp.pcap import CaptureError, is_own
    from srs.archive.intake import take_apart

    try:
        if is_own(file):
            made, refused = _keep(archive, _copy(file, archive.data_dir), str(file))
            _sum_up(file, 1, made, refused)
            return not refused
        taken = take_apart(file)
    except CaptureError as error:
        typer.echo(f"srs: {error}" if str(file) in str(error) else f"srs: {file}: {error}", err=True)
        return False
    for left in taken.left_over():
        typer.echo(f"srs: {file}: {left}", err=True)
    if not taken.calls:
        typer.echo(f"srs: {file}: there is no call in it (no INVITE)", err=True)
        return False
    results = [_keep(archive, *made) for made in _calls(archive, taken, file)]
    _sum_up(file, len(taken.calls), sum(made for made, _ in results), sum(refused for _, refused in results))
    return not any(refused for _, refused in results)


def _sum_up(file: Path, calls: int, made: int, refused: int) -> None:
    became = f"{calls} {_plural(calls, 'call')}, {made} {_plural(made, 'recording')} made"
    without = f", {refused} without sound: see above" if refused else ""
    typer.echo(f"srs: {file}: {became}{without}", err=True)


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"


def _calls(archive: "Archive", taken: "Taken", file: Path) -> Iterator[tuple[Path, str]]:
    """Write a capture of each call; yields it, and how the call is named."""
    from srs.archive.intake import write

    for call in taken.calls:
        with _custody(archive.data_dir) as (unfinished, target):
            write(taken, call, unfinished)
        yield target, f"{file}: {_kind(call)} {call.call_id}"


def _kind(call: "Call") -> str:
    return "recording session" if call.is_recorded else "call"


def _keep(archive: "Archive", capture: Path, name: str) -> tuple[int, int]:
    """Take a capture into the archive; prints the ids; returns how many recordings it became, and how many failed."""
    from srs.archive.keep import keep

    rows = keep(archive, capture)
    for row in rows:
        if row.reason is not None:
            typer.echo(f"srs: {name}: {row.reason}", err=True)
        for problem in row.facts.get("problems", ()):
            typer.echo(f"srs: {name}: {problem}", err=True)
        typer.echo(row.id)
    refused = sum(row.reason is not None for row in rows)
    return len(rows) - refused, refused


def _copy(file: Path, data_dir: Path) -> Path:
    with _custody(data_dir) as (unfinished, target):
        shutil.copyfile(file, unfinished)
    return target


@contextmanager
def _custody(data_dir: Path) -> Iterator[tuple[Path, Path]]:
    """A capture comes into custody whole or not at all: where to write it, and where it then is."""
    from srs.capture import folder

    folder.prepare(data_dir)
    target = folder.ended_path(data_dir, folder.new_id())
    unfinished = target.with_suffix(".part")
    try:
        yield unfinished, target
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)
