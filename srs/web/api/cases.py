"""Cases of secret recording; who may not know of one gets the same answer as if there were none."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Header, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from srs.privacy.cases import approval, closing, letters
from srs.privacy.cases.dossier import Opening, open_case
from srs.privacy.cases.papers import Document, add_paper, read_paper
from srs.privacy.cases.recordings import recordings as recorded
from srs.privacy.cases.tables import Outcome, PaperKind
from srs.privacy.cases.view import view
from srs.privacy.roles import CASE_RIGHTS
from srs.web import cases as pages
from srs.web.api.caller import having
from srs.web.api.described_cases import Line, Paper, Shown, shown, told
from srs.web.api.once import Once
from srs.web.api.words import Asked, Listed, Moment, Reason, Word
from srs.web.asker import Asker
from srs.web.case_end import handed_out, played
from srs.web.cases import actor, as_file, cabinet

router = APIRouter(prefix="/cases", tags=["cases"], route_class=Once)

UPLOAD: Final = "/cases/{case}/papers"
Party = Annotated[Asker, having(CASE_RIGHTS)]
"""Somebody who may know that there are cases; which, each case decides."""
Id = Annotated[str, Path(max_length=64, description="Of a case.")]
_BYTES: Final = {"schema": {"type": "string", "format": "binary"}}


@router.get("")
def listed(caller: Party) -> Listed[Line]:
    """The cases that the caller may know of, newest first, with what is due."""
    lines = []
    for case, state, due in pages.known(caller):
        same = {name: getattr(case, name) for name in ("id", "since", "until", "opened_by", "held")}
        lines.append(Line(**same, state=state, due=told(due)))
    return Listed(items=lines)


class NewCase(Asked):
    suspicion: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]
    persons: Annotated[list[Word], Field(min_length=1, max_length=50, description="Numbers, extensions, addresses.")]
    since: Moment | None = Field(default=None, description="Null: now.")
    until: Moment
    no_council: Word | None = Field(default=None, description="Why the works council has no say in it.")
    investigators: list[Word] = Field(default=[], max_length=20, description="Names of users who work on it too.")


@router.post("", status_code=201)
def open_(caller: Party, wanted: NewCase) -> Shown:
    """Open a case; it records nothing before its papers are there and a second person approved it."""
    people = tuple(wanted.persons), tuple(wanted.investigators)
    since = wanted.since or caller.now
    opening = Opening(wanted.suspicion, people[0], since, wanted.until, wanted.no_council, people[1])
    return one(caller, open_case(cabinet(caller), actor(caller), opening, caller.now).id)


@router.get("/{case}")
def one(caller: Party, case: Id) -> Shown:
    """One case."""
    return shown(view(cabinet(caller), actor(caller), case, caller.now))


# Papers, and the second person


@router.post("/{case}/papers", status_code=201)
def add(
    caller: Party,
    case: Id,
    kind: Annotated[PaperKind, Query()],
    name: Annotated[Word, Query(min_length=1, description="Of the file.")],
    content: Annotated[bytes, Body(media_type="application/octet-stream")] = b"",
    reference: Annotated[Word | None, Query(description="Of the authority, with its document.")] = None,
) -> Paper:
    """Add a document, sealed for the case; at most 10 MiB."""
    document = Document(kind, name, content, reference)
    return Paper.model_validate(add_paper(cabinet(caller), actor(caller), case, document, caller.now))


@router.get(
    "/{case}/papers/{paper}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": _BYTES}}},
)
def read(caller: Party, case: Id, paper: Id) -> Response:
    """A document, as it was given."""
    return as_file(*read_paper(cabinet(caller), actor(caller), case, paper, caller.now))


class Decision(Asked):
    approve: Annotated[bool, Field(strict=True)]
    reason: Reason | None = Field(default=None, description="For refusing: all of it is destroyed then.")


@router.post("/{case}/decision")
def decide(caller: Party, case: Id, wanted: Decision) -> Shown:
    """Approve a case that somebody else opened, or refuse it."""
    place, who = cabinet(caller), actor(caller)
    if wanted.approve:
        approval.approve(place, who, case, caller.now)
    else:
        approval.refuse(place, who, case, wanted.reason or "", caller.now)
    return one(caller, case)


# What it recorded


class Recording(BaseModel):
    """A call of a case, or the part of it in its period."""

    id: str
    sound: bool
    facts: dict[str, Any]


@router.get("/{case}/recordings")
def recordings(caller: Party, case: Id) -> Listed[Recording]:
    """What a case recorded, oldest first; for its investigators."""
    found = recorded(cabinet(caller), actor(caller), case, caller.now)
    return Listed(
        items=[Recording(id=each.row.id, sound=each.row.file is not None, facts=each.facts) for each in found]
    )


@router.get(
    "/{case}/recordings/{recording}/audio",
    response_class=Response,
    responses={
        200: {"content": {"audio/wav": _BYTES}},
        206: {"content": {"audio/wav": _BYTES}, "description": "Part."},
    },
)
def audio(caller: Party, case: Id, recording: Id, range: Annotated[str | None, Header()] = None) -> Response:  # noqa: A002
    """Its sound, WAV; for the investigators. By `Range` a part of it."""
    return played(caller, case, recording, range)


# Its end


class Closing(Asked):
    outcome: Literal["offence", "no offence", "withdrawn"]
    reason: Reason
    cleared: list[Word] = Field(
        default=[], max_length=50, description="With an offence: persons of the case who had no part in it."
    )


@router.post("/{case}/close")
def close(caller: Party, case: Id, wanted: Closing) -> Shown:
    """Close a case. Without an offence all of it is destroyed at once; so is what is only of who is cleared."""
    outcome = Outcome(wanted.outcome)
    closing.close(cabinet(caller), actor(caller), case, outcome, wanted.reason, caller.now, wanted.cleared)
    return one(caller, case)


class Why(Asked):
    reason: Reason


@router.post("/{case}/destroy")
def destroy(caller: Party, case: Id, wanted: Why) -> Shown:
    """Destroy a case that was closed with an offence, before its time."""
    closing.destroy_closed(cabinet(caller), actor(caller), case, wanted.reason, caller.now)
    return one(caller, case)


ReasonQuery = Annotated[Reason, Query(description="Why; it is kept with the case.")]


@router.put("/{case}/hold")
def hold(caller: Party, case: Id, reason: ReasonQuery) -> Shown:
    """Put a case under legal hold: nothing destroys it."""
    closing.hold(cabinet(caller), actor(caller), case, reason, caller.now, held=True)
    return one(caller, case)


@router.delete("/{case}/hold")
def release(caller: Party, case: Id, reason: ReasonQuery) -> Shown:
    """End the legal hold."""
    closing.hold(cabinet(caller), actor(caller), case, reason, caller.now, held=False)
    return one(caller, case)


class Export(Asked):
    to: list[Word] = Field(min_length=1, max_length=20, description="Public keys of age (age1…) of those who get it.")


@router.post(
    "/{case}/export",
    response_class=Response,
    responses={200: {"content": {"application/zip": _BYTES}}},
)
def export(caller: Party, case: Id, wanted: Export) -> Response:
    """A case with an offence, sealed, with signed manifest and chain of custody: a ZIP."""
    return handed_out(caller, case, tuple(wanted.to))


class Letter(BaseModel):
    """To an employee in whose case there was no offence."""

    model_config = ConfigDict(from_attributes=True)

    person: str
    mail: str | None
    subject: str
    text: str | None = Field(description="Null: it is with the employee.")
    due_at: datetime
    sent_at: datetime | None
    how: str | None


@router.get("/{case}/letters")
def of_case(caller: Party, case: Id) -> Listed[Letter]:
    """The letters of a case."""
    found = letters.of_case(cabinet(caller), actor(caller), case, caller.now)
    return Listed(items=[Letter.model_validate(each) for each in found])


@router.post("/{case}/letters/mail")
def mail(caller: Party, case: Id) -> Listed[Letter]:
    """Mail the letters that wait to those who have an address."""
    letters.send(cabinet(caller), actor(caller), case, caller.now)
    return of_case(caller, case)


class Handed(Asked):
    person: Word = Field(description="As the letter names them.")


@router.post("/{case}/letters/handed")
def handed(caller: Party, case: Id, wanted: Handed) -> Listed[Letter]:
    """Note that somebody was given their letter."""
    letters.hand_over(cabinet(caller), actor(caller), case, wanted.person, caller.now)
    return of_case(caller, case)
