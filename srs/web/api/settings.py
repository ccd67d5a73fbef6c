"""Changing settings, as the pages do: subject by subject, checked whole, looked at before, in force at once."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from srs.config import Settings, SettingsError
from srs.privacy.errors import Misuse
from srs.privacy.roles import Right
from srs.web import edited, forms
from srs.web.api.caller import having
from srs.web.api.once import Once
from srs.web.api.problems import Trouble, Wrong
from srs.web.api.tasks import Preview
from srs.web.api.words import WHOLE, Asked
from srs.web.asker import Asker, NotFound
from srs.web.edited import Edited
from srs.web.hidden import redacted, restored
from srs.web.subjects import SUBJECTS

router = APIRouter(prefix="/settings/{subject}", tags=["settings"], route_class=Once)

Keeper = Annotated[Asker, having(Right.SETTINGS)]
SubjectName = Annotated[str, Path(json_schema_extra={"enum": list(SUBJECTS)})]
Place = Annotated[int, Path(ge=0, le=10_000, description="In the list, from 0.")]
IfMatch = Annotated[str | None, Header(description="The ETag of what is changed.")]
Item = dict[str, Any]


class Kept(BaseModel):
    """Settings of one subject, as people have set them; each name that is missing has its default."""

    key: str
    """In the settings file."""
    many: bool
    """Whether it is a list, or one section."""
    set_in: str | None
    """The settings file or variable that says the whole list, which then cannot be changed here."""
    held: dict[str, str]
    """Names of a section that are said so, and where."""
    items: list[Item] = Field(description="Of a section one. Secrets are `•••`; sent back so, they stay.")


class Changed(Kept):
    restarting: bool
    """The recorder replaces its processes: calls go on, the API is away for some seconds. False: none runs."""


def _kept(caller: Asker, found: Edited) -> dict[str, Any]:
    house, subject = caller.house, found.subject
    above = edited.fixed(house, subject)
    items = edited.in_force(house.settings, subject) if above else found.items if subject.many else [found.section]
    told = {"key": subject.key, "many": subject.many, "items": redacted(items)}
    return {**told, "set_in": above, "held": edited.held(house, subject)}


def _etag(found: Edited) -> str:
    return f'"{found.version}"'


@router.get("")
def shown(caller: Keeper, subject: SubjectName, response: Response) -> Kept:
    """Settings of a subject, with the ETag that a change wants."""
    found = edited.opened(caller.house, subject)
    response.headers["ETag"] = _etag(found)
    return Kept(**_kept(caller, found))


@router.get("/schema")
def schema(caller: Keeper, subject: SubjectName) -> dict[str, Any]:  # noqa: ARG001 - looked at by its dependency
    """What an item, or the section, may say: JSON Schema."""
    if subject not in SUBJECTS:
        raise NotFound
    return SUBJECTS[subject].model.model_json_schema()


@router.put("")
def change_section(
    caller: Keeper, subject: SubjectName, item: Item, response: Response, if_match: IfMatch = None
) -> Changed:
    """Change a subject that is one section; what is not given has its default."""
    _found(subject, many=False)
    return _save(caller, subject, None, item, response, _seen(if_match))


@router.post("", status_code=201)
def add(caller: Keeper, subject: SubjectName, item: Item, response: Response) -> Changed:
    """Add an item to a list, as the last."""
    _found(subject, many=True)
    return _save(caller, subject, None, item, response, None)


@router.put("/{place:int}")
def change_item(
    caller: Keeper, subject: SubjectName, place: Place, item: Item, response: Response, if_match: IfMatch = None
) -> Changed:
    """Change an item of a list; what is not given has its default."""
    _found(subject, many=True)
    return _save(caller, subject, place, item, response, _seen(if_match))


@router.delete("/{place:int}")
def remove(caller: Keeper, subject: SubjectName, place: Place, response: Response, if_match: IfMatch = None) -> Changed:
    """Remove an item of a list."""
    with _changing(caller, subject, _seen(if_match)) as found:
        return _keep(caller, found, found.without(_there(found, place)), "remove", found.items[place], response)


class Move(Asked):
    to: Annotated[
        int, Field(ge=0, le=10_000, description="Its new place; in lists of rules the first that fits holds."), WHOLE
    ]


@router.post("/{place:int}/move")
def move(
    caller: Keeper, subject: SubjectName, place: Place, move: Move, response: Response, if_match: IfMatch = None
) -> Changed:
    """Give an item another place in its list."""
    with _changing(caller, subject, _seen(if_match)) as found:
        document = found.moved(_there(found, place), move.to)
        return _keep(caller, found, document, "move", {**found.items[place], "to": move.to}, response)


class Would(BaseModel):
    """What a change would do."""

    model_config = ConfigDict(from_attributes=True)

    hits: int | None = Field(description="Recordings of the last 30 days that the rule is for; null: of none.")
    deleted: Preview | None = Field(description="When recordings are deleted, now and then; null: it deletes nothing.")


@router.post("/preview")
def preview(
    caller: Keeper,
    subject: SubjectName,
    item: Item,
    place: Annotated[int | None, Query(ge=0, le=10_000, description="Of what it replaces; else it is new.")] = None,
) -> Would:
    """What an item, or a section, would do; nothing is kept."""
    found = edited.opened(caller.house, subject)
    place = None if place is None or not found.subject.many else _there(found, place)
    made = _made(found, place, item)
    settings = _checked(caller, found.with_item(place, made))
    return Would.model_validate(edited.would(caller.house, found.subject, settings, made, caller.now))


# What they share


def _found(subject: str, *, many: bool) -> None:
    if subject not in SUBJECTS:
        raise NotFound
    if SUBJECTS[subject].many != many:
        raise Misuse(f"{subject} is {'one section: PUT changes it' if many else 'a list: change one item of it'}")


def _seen(if_match: str | None) -> str | None:
    """The version that the caller has seen; None: whichever it is."""
    if if_match is None:
        raise Trouble("etag-needed")
    return None if if_match == "*" else if_match.strip('"')


def _changing(caller: Asker, subject: str, version: str | None) -> AbstractContextManager[Edited]:
    return edited.changing(caller.house, subject, version)


def _there(found: Edited, place: int) -> int:
    if not found.subject.many or place >= len(found.items):
        raise NotFound
    return place


def _made(found: Edited, place: int | None, item: Item) -> Item:
    """
    Raises:
        Trouble: it is not as the subject wants it.
    """
    try:
        return forms.plain(found.subject.model, restored(item, found.before(place)))
    except ValidationError as error:
        wrong = [Wrong(where=".".join(map(str, ("body", *each["loc"]))), detail=each["msg"]) for each in error.errors()]
        raise Trouble("invalid", errors=wrong) from error


def _checked(caller: Asker, document: dict[str, Any]) -> Settings:
    try:
        return edited.checked(caller.house, document)
    except SettingsError as error:
        raise Trouble("invalid", str(error)) from error


def _save(
    caller: Asker, subject: str, place: int | None, item: Item, response: Response, version: str | None
) -> Changed:
    with _changing(caller, subject, version) as found:
        place = None if place is None else _there(found, place)
        if said := sorted(item.keys() & edited.held(caller.house, found.subject).keys()):
            raise Misuse(f"{', '.join(said)}: set above the pages; GET says where")
        made = _made(found, place, item)
        return _keep(caller, found, found.with_item(place, made), "save", made, response)


def _keep(
    caller: Asker, found: Edited, document: dict[str, Any], what: str, told: Mapping[str, Any], response: Response
) -> Changed:
    try:
        restarting = edited.keep(caller, found, document, what, told)
    except SettingsError as error:
        raise Trouble("invalid", str(error)) from error
    now = edited.opened(caller.house, found.subject.path)
    response.headers["ETag"] = _etag(now)
    return Changed(**_kept(caller, now), restarting=restarting)
