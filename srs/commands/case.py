"""srs case: secret recording on suspicion of an offence, by the persons who may."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srs.commands.options import AsJson, Config, Data, open_archive
from srs.commands.signing_in import ORIGIN, As, signed_in

if TYPE_CHECKING:
    from srs.privacy.cases.cabinet import Actor, Cabinet
    from srs.privacy.cases.tables import Case

app = typer.Typer(help="Secret recording on suspicion of an offence; asks who you are.", no_args_is_help=True)

CaseId = Annotated[str, typer.Argument(metavar="CASE", help="Id of the case, or its first characters.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why.")]
PAPERS = ("dpia", "authority", "works-council", "suspicion")
OUTCOMES = ("offence", "no offence", "withdrawn")
FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


def _enter(config: Path | None, data: Path | None, name: str | None) -> "tuple[Cabinet, Actor]":
    from srs.privacy.cases.cabinet import Actor, Cabinet

    settings, engine, store = open_archive(config, data)
    return Cabinet(settings, engine, store), Actor(signed_in(engine, name), ORIGIN)


def _now() -> datetime:
    return datetime.now(UTC)


@app.command("open")
def open_(
    suspicion: Annotated[str, typer.Option(metavar="TEXT", help="Of which offence, and what it rests on.")],
    person: Annotated[list[str], typer.Option(metavar="PATTERN", help="Number or extension; may be given again.")],
    until: Annotated[datetime, typer.Option(formats=FORMATS, help="When it stops by itself; of a day, its beginning.")],
    since: Annotated[datetime | None, typer.Option("--from", formats=FORMATS, help="From when. [default: now]")] = None,
    no_works_council: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why the works council has no say in it.")
    ] = None,
    investigator: Annotated[
        list[str] | None, typer.Option("--with", metavar="USER", help="Who works on it too; may be given again.")
    ] = None,
    as_: As = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Open a case. It records nothing before its papers are there and a second person has approved it."""
    from srs.privacy.cases.dossier import Opening, open_case
    from srs.privacy.cases.papers import LACKS, missing

    cabinet, actor = _enter(config, data, as_)
    begin = (since or _now()).astimezone(UTC)
    told = Opening(suspicion, tuple(person), begin, until.astimezone(UTC), no_works_council, tuple(investigator or ()))
    case = open_case(cabinet, actor, told, _now())
    typer.echo(case.id)
    for kind in missing(case, []):
        typer.echo(f"lacks {LACKS[kind]['en']}", err=True)


@app.command()
def paper(
    case: CaseId,
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"{', '.join(PAPERS)}; or the id of one to read.")],
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The document that is added.")] = None,
    reference: Annotated[str | None, typer.Option(metavar="TEXT", help="With authority: its reference.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where it is read to.")] = None,
    as_: As = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Add a document, sealed for the case; or read one."""
    from srs.privacy.cases.papers import Document, add_paper, read_paper
    from srs.privacy.cases.tables import PaperKind

    if (file is None) == (output is None) or (file is not None and kind not in PAPERS):
        raise typer.BadParameter(f"srs case paper CASE KIND FILE adds ({', '.join(PAPERS)}), CASE ID -o FILE reads")
    cabinet, actor = _enter(config, data, as_)
    if file is not None:
        document = Document(PaperKind(kind), file.name, file.read_bytes(), reference)
        added = add_paper(cabinet, actor, case, document, _now())
        typer.echo(f"{added.id}  {added.kind}  sha256 {added.sha256}")
    elif output is not None:
        output.write_bytes(read_paper(cabinet, actor, case, kind, _now())[1])


@app.command()
def approve(
    case: CaseId,
    refuse: Annotated[str | None, typer.Option(metavar="TEXT", help="Say no, and why.")] = None,
    as_: As = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Approve a case that somebody else opened, or refuse it."""
    from srs.privacy.cases import approval

    cabinet, actor = _enter(config, data, as_)
    if refuse is not None:
        decided = approval.refuse(cabinet, actor, case, refuse, _now())
    else:
        decided = approval.approve(cabinet, actor, case, _now())
    typer.echo(_line(decided))


@app.command("list")
def list_(as_: As = None, config: Config = None, data: Data = None) -> None:
    """List the cases that you may know of, newest first, with what is due."""
    from srs.privacy.cases.dossier import seen_by
    from srs.privacy.cases.letters import waiting_letters
    from srs.privacy.cases.steps import steps

    cabinet, actor = _enter(config, data, as_)
    waiting = waiting_letters(cabinet.engine)
    for case in seen_by(cabinet, actor, _now()):
        typer.echo(_line(case))
        for step in steps(case, waiting.get(case.id, []), cabinet.settings, _now()):
            typer.echo(f"    {'OVERDUE: ' if step.overdue else ''}{step.words('en')}")


def _line(case: "Case") -> str:
    from srs.privacy.cases.steps import state

    period = f"{case.since:%Y-%m-%d %H:%M} to {case.until:%Y-%m-%d %H:%M}"
    return f"{case.id}  {state(case, _now())}{', held' if case.held else ''}  {period}"


@app.command()
def show(case: CaseId, as_json: AsJson = False, as_: As = None, config: Config = None, data: Data = None) -> None:
    """Show a case: its papers, what it lacks, letters, receipt, what was done with it."""
    from srs.privacy.cases.view import described, view

    cabinet, actor = _enter(config, data, as_)
    known = described(view(cabinet, actor, case, _now()))
    if as_json:
        typer.echo(json.dumps(known, ensure_ascii=False, indent=2))
        return
    for name, value in known.items():
        if isinstance(value, list):
            typer.echo(f"{name}:" if value else f"{name}: none")
            for each in value:
                typer.echo(f"  {each if isinstance(each, str) else json.dumps(each, ensure_ascii=False)}")
        elif value not in (None, {}):
            typer.echo(f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


@app.command()
def recordings(case: CaseId, as_: As = None, config: Config = None, data: Data = None) -> None:
    """List what a case recorded, an object a line; for its investigators."""
    from srs.privacy.cases.recordings import recordings as of_case

    cabinet, actor = _enter(config, data, as_)
    for each in of_case(cabinet, actor, case, _now()):
        typer.echo(json.dumps({"id": each.row.id, **each.facts}, ensure_ascii=False))


@app.command()
def play(
    case: CaseId,
    recording: Annotated[str, typer.Argument(metavar="ID", help="Of a recording of the case.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where its sound goes (WAV).")],
    as_: As = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Write the sound of a recording to a file; for investigators."""
    from srs.privacy.cases.recordings import sound

    cabinet, actor = _enter(config, data, as_)
    _, source = sound(cabinet, actor, case, recording, _now())
    with source, output.open("xb") as target:
        shutil.copyfileobj(source, target, 1 << 20)


@app.command()
def close(
    case: CaseId,
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help="offence, 'no offence', or withdrawn.")],
    reason: Reason,
    mail: Annotated[bool, typer.Option("--mail", help="Mail the employees' letters at once.")] = False,
    cleared: Annotated[
        list[str] | None,
        typer.Option(metavar="PERSON", help="With an offence: who had no part in it; may be given again."),
    ] = None,
    as_: As = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Close a case. Without an offence all of it is destroyed at once, and the employees are to be told.

    So is what is only of somebody who is cleared.
    """
    from srs.privacy.cases import closing, letters
    from srs.privacy.cases.tables import Outcome

    if outcome not in OUTCOMES:
        raise typer.BadParameter(f"OUTCOME must be one of {', '.join(OUTCOMES)}")
    cabinet, actor = _enter(config, data, as_)
    closed = closing.close(cabinet, actor, case, Outcome(outcome), reason, _now(), cleared or ())
    if (receipt := closed.receipt or closed.cleared_receipt) is not None:
        typer.echo(json.dumps(receipt, ensure_ascii=False, indent=2))
    if mail:
        letters.send(cabinet, actor, closed.id, _now())


@app.command()
def letter(
    case: CaseId,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write the letters there.")
    ] = None,
    mail: Annotated[bool, typer.Option("--mail", help="Mail those that wait to who has an address.")] = False,
    handed: Annotated[str | None, typer.Option(metavar="PERSON", help="Note that this one was handed over.")] = None,
    as_: As = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """The letters to employees in whose case there was no offence: list, print, mail, or note as handed over."""
    from srs.privacy.cases import letters

    cabinet, actor = _enter(config, data, as_)
    if mail:
        letters.send(cabinet, actor, case, _now())
    if handed is not None:
        letters.hand_over(cabinet, actor, case, handed, _now())
    for each in letters.of_case(cabinet, actor, case, _now()):
        said = f"{each.how} on {each.sent_at:%Y-%m-%d}" if each.sent_at else f"must go out by {each.due_at:%Y-%m-%d}"
        typer.echo(f"{each.person}  {said}")
        if output is not None and each.text is not None:
            output.mkdir(parents=True, exist_ok=True, mode=0o700)
            (output / f"{each.id}.txt").write_text(each.text, "utf-8")


@app.command()
def export(
    case: CaseId,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="A new folder.")],
    to: Annotated[list[str], typer.Option(metavar="AGE1…", help="Public key of who opens it; may be given again.")],
    as_: As = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Hand out a case that is closed with an offence: all sealed, with manifest, signature and chain of custody."""
    from srs.privacy.cases.evidence import export as write

    cabinet, actor = _enter(config, data, as_)
    typer.echo(write(cabinet, actor, case, to, output, _now()))


@app.command()
def hold(
    case: CaseId,
    reason: Reason,
    release: Annotated[bool, typer.Option("--release", help="End it.")] = False,
    as_: As = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Put a case under legal hold: nothing destroys it meanwhile."""
    from srs.privacy.cases import closing

    cabinet, actor = _enter(config, data, as_)
    typer.echo(_line(closing.hold(cabinet, actor, case, reason, _now(), held=not release)))


@app.command()
def destroy(case: CaseId, reason: Reason, as_: As = None, config: Config = None, data: Data = None) -> None:
    """Destroy a case that was closed with an offence before its time, as when the evidence was handed over."""
    from srs.privacy.cases import closing

    cabinet, actor = _enter(config, data, as_)
    destroyed = closing.destroy_closed(cabinet, actor, case, reason, _now())
    typer.echo(json.dumps(destroyed.receipt, ensure_ascii=False, indent=2))
