"""The sound of a recording, and what else of it is a file."""

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response

from srs.archive.export import export, export_capture, export_vcon
from srs.privacy.roles import Right
from srs.web.api.caller import About, PurposeOfUse, about
from srs.web.sound import TYPES, file_name, made, outline, stream

router = APIRouter(prefix="/recordings/{id}", tags=["sound"], default_response_class=Response)

Played = Annotated[About, about(Right.PLAY)]
Downloaded = Annotated[About, about(Right.DOWNLOAD)]
_BYTES = {"schema": {"type": "string", "format": "binary"}}


def _files(*types: str, partial: bool = True) -> dict[int | str, dict[str, Any]]:
    """The answers of a path that gives files."""
    content = dict.fromkeys(types, _BYTES)
    whole: dict[int | str, dict[str, Any]] = {200: {"description": "The file.", "content": content}}
    return whole | ({206: {"description": "The range that was asked for.", "content": content}} if partial else {})


@router.get("/audio", responses=_files(*TYPES.values()))
def audio(found: Played, request: Request, purpose: PurposeOfUse) -> Response:
    """The sound as it is kept; by `Range` a part of it."""
    found.check_use(purpose, "play")
    return stream(found.caller, found.row, request.headers, purpose)


@router.get("/peaks", responses=_files("application/octet-stream", partial=False))
def peaks(found: Played, request: Request, purpose: PurposeOfUse) -> Response:
    """The outline of the sound, as the player draws it: who spoke when."""
    found.check_use(purpose, "outline")
    return outline(found.row, found.caller.house.store, request.headers)


@router.get("/download", responses=_files(*TYPES.values()))
def download(
    found: Downloaded,
    purpose: PurposeOfUse,
    format: Literal["wav", "mp3", "flac", "opus"] = "wav",  # noqa: A002
) -> Response:
    """The sound as a file of any format, with who and when in its tags."""

    def write(target: Path) -> None:
        found.note("download", purpose, format=format)
        export(found.row, found.caller.house.store, format, target)

    found.check_use(purpose, "download")
    return made(write, file_name(found.row, format), TYPES[format])


@router.get("/vcon", responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}})
def vcon(found: Downloaded, purpose: PurposeOfUse) -> Response:
    """Sound, parties and history as vCon, signed if `[vcon]` has a key."""

    def write(target: Path) -> None:
        house = found.caller.house
        found.note("download", purpose, format="vcon")
        export_vcon(found.row, house.store, house.settings.vcon.signer, target, found.caller.now)

    found.check_use(purpose, "download")
    return made(write, file_name(found.row, "vcon.json"), "application/json")


@router.get("/capture", responses=_files("application/vnd.tcpdump.pcap"))
def capture(found: Downloaded, purpose: PurposeOfUse) -> Response:
    """The packets as they came, where not all of them could be decoded."""

    def write(target: Path) -> None:
        found.note("download", purpose, format="pcap")
        export_capture(found.row, found.caller.house.settings.data_dir, target)

    found.check_use(purpose, "download")
    return made(write, file_name(found.row, "pcap"), "application/vnd.tcpdump.pcap")
