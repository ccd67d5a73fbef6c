"""The sound files that callers hear: brought here by people, named by purposes, looked for in calls."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from starlette.responses import FileResponse, Response

from srs.privacy.errors import Misuse
from srs.web.asker import Asker, NotFound
from srs.web.house import House
from srs.web.pages import back, page
from srs.web.visit import Visit

FOLDER: Final = "announcements"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,80}\.(wav|mp3|flac|opus|ogg)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Announcement:
    """A file, and what uses it."""

    path: Path
    """By which purposes name it."""
    purposes: tuple[str, ...]


def known(house: House) -> Iterator[Announcement]:
    """Those that were brought here, by name, then those of purposes in other folders."""
    folder, used = _folder(house), _used(house)
    here = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name)) if folder.is_dir() else []
    for path in [*here, *(path for path in used if path.parent != folder)]:
        yield Announcement(path, tuple(used.get(path, ())))


def _used(house: House) -> dict[Path, list[str]]:
    used: dict[Path, list[str]] = {}
    for purpose in house.settings.purpose:
        if isinstance(purpose.notice, Path):
            used.setdefault(purpose.notice, []).append(purpose.name)
    return used


def keep(asker: Asker, name: str, file: IO[bytes]) -> Path:
    """Keep a file, if it can be recognised in calls.

    Raises:
        Misuse: it cannot, or the name is none or taken.
    """
    if not _NAME.fullmatch(name):
        raise Misuse(f"{name!r}: a name of letters and digits that ends in .wav, .mp3, .flac, .opus or .ogg is needed")
    folder = _folder(asker.house)
    if (folder / name).exists():
        raise Misuse(f"there is an announcement {name} already: remove it, or give this one another name")
    folder.mkdir(mode=0o700, exist_ok=True)
    part = folder / f".{name}.part"
    try:
        with part.open("wb") as written:
            shutil.copyfileobj(file, written)
        _check(part, name)
        asker.write("add announcement", f"announcement:{name}")
        return part.rename(folder / name)
    finally:
        part.unlink(missing_ok=True)


def _check(path: Path, name: str) -> None:
    from srs.privacy.detect import RATE_OF_FILES, announcement  # these take a while to load
    from srs.siprec.src_audio import load

    try:
        announcement(load(path), RATE_OF_FILES)
    except (OSError, ValueError) as error:
        raise Misuse(f"{name} cannot be used: {str(error).replace(str(path), name)}") from error


def drop(asker: Asker, name: str) -> None:
    """Remove one that no purpose uses.

    Raises:
        NotFound: there is none.
        Misuse: a purpose uses it.
    """
    path = find(asker.house, name)
    if users := _used(asker.house).get(path):
        raise Misuse(f"{name} is the announcement of {', '.join(users)}: give that purpose another one first")
    asker.write("remove announcement", f"announcement:{name}")
    path.unlink()


def find(house: House, name: str) -> Path:
    """
    Raises:
        NotFound: none of that name was brought here.
    """
    path = _folder(house) / name
    if not _NAME.fullmatch(name) or not path.is_file():
        raise NotFound
    return path


def _folder(house: House) -> Path:
    return house.settings.data_dir / FOLDER


# Pages


def listed(visit: Visit) -> Response:
    """All that there are, with the purposes that use each."""
    return page(visit, "announcements.html", files=list(known(visit.house)), folder=_folder(visit.house))


def add(visit: Visit) -> Response:
    if visit.upload is None or not visit.upload.filename:
        raise Misuse("choose a sound file")
    keep(visit, Path(visit.upload.filename).name, visit.upload.file)
    return back(f"/settings/{FOLDER}")


def sound(visit: Visit) -> Response:
    return FileResponse(find(visit.house, visit.request.path_params["name"]))


def remove(visit: Visit) -> Response:
    drop(visit, visit.request.path_params["name"])
    return back(f"/settings/{FOLDER}")
