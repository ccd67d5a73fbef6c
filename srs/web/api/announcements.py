"""The sound files that callers hear."""

import io
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel

from srs.privacy.roles import Right
from srs.web import announcements
from srs.web.announcements import Announcement as Known
from srs.web.api.caller import having
from srs.web.api.once import Once
from srs.web.api.words import Listed, Word
from srs.web.asker import Asker

router = APIRouter(prefix="/announcements", tags=["settings"], route_class=Once)

Keeper = Annotated[Asker, having(Right.SETTINGS)]
Name = Annotated[Word, Path(max_length=100)]


class Announcement(BaseModel):
    name: str
    path: str
    """By which a purpose names it: its `notice`."""
    purposes: list[str]
    """Those that use it."""


def _announcement(found: Known) -> Announcement:
    return Announcement(name=found.path.name, path=str(found.path), purposes=list(found.purposes))


@router.get("")
def listed(caller: Keeper) -> Listed[Announcement]:
    """All that there are."""
    return Listed(items=[_announcement(each) for each in announcements.known(caller.house)])


@router.post("", status_code=201)
def add(
    caller: Keeper,
    name: Annotated[Word, Query(description="Letters and digits, and .wav, .mp3, .flac, .opus or .ogg.")],
    sound: Annotated[bytes, Body(media_type="application/octet-stream")] = b"",
) -> Announcement:
    """Bring a sound file, exactly what callers hear, of at most 10 MiB; one that could not be recognised is refused."""
    return _announcement(Known(announcements.keep(caller, name, io.BytesIO(sound)), ()))


@router.get(
    "/{name}",
    response_class=Response,
    responses={200: {"content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}}}},
)
def heard(caller: Keeper, name: Name) -> Response:
    """The file."""
    return FileResponse(announcements.find(caller.house, name))


@router.delete("/{name}", status_code=204)
def remove(caller: Keeper, name: Name) -> None:
    """Remove one that no purpose uses."""
    announcements.drop(caller, name)
