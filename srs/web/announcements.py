"""The sound files that callers hear: brought here by people, named by purposes, looked for in calls."""

import re
import shutil
from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, Response

from srs.privacy.errors import Misuse
from srs.web.asker import NotFound
from srs.web.pages import back, page
from srs.web.visit import Visit

FOLDER: Final = "announcements"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,80}\.(wav|mp3|flac|opus|ogg)", re.IGNORECASE)


def listed(visit: Visit) -> Response:
    """All that there are, with the purposes that use each."""
    used: dict[Path, list[str]] = {}
    for purpose in visit.house.settings.purpose:
        if isinstance(purpose.notice, Path):
            used.setdefault(purpose.notice, []).append(purpose.name)
    folder = _folder(visit)
    files = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name)) if folder.is_dir() else []
    elsewhere = [path for path in used if path.parent != folder]
    return page(visit, "announcements.html", files=files, used=used, elsewhere=elsewhere)


def add(visit: Visit) -> Response:
    """Keep a file, if it can be recognised in calls."""
    if visit.upload is None or not visit.upload.filename:
        raise Misuse("choose a sound file")
    name = Path(visit.upload.filename).name
    if not _NAME.fullmatch(name):
        raise Misuse(f"{name!r}: a name of letters and digits that ends in .wav, .mp3, .flac, .opus or .ogg is needed")
    folder = _folder(visit)
    if (folder / name).exists():
        raise Misuse(f"there is an announcement {name} already: remove it, or give this one another name")
    folder.mkdir(mode=0o700, exist_ok=True)
    part = folder / f".{name}.part"
    try:
        with part.open("wb") as file:
            shutil.copyfileobj(visit.upload.file, file)
        _check(part, name)
        visit.note("add announcement", f"announcement:{name}")
        part.rename(folder / name)
    finally:
        part.unlink(missing_ok=True)
    return back(f"/settings/{FOLDER}")


def _check(path: Path, name: str) -> None:
    from srs.privacy.detect import RATE_OF_FILES, announcement  # these take a while to load
    from srs.siprec.src_audio import load

    try:
        announcement(load(path), RATE_OF_FILES)
    except (OSError, ValueError) as error:
        raise Misuse(f"{name} cannot be used: {str(error).replace(str(path), name)}") from error


def sound(visit: Visit) -> Response:
    return FileResponse(_of_path(visit))


def remove(visit: Visit) -> Response:
    """Only one that no purpose uses."""
    path = _of_path(visit)
    if users := [each.name for each in visit.house.settings.purpose if each.notice == path]:
        raise Misuse(f"{path.name} is the announcement of {', '.join(users)}: give that purpose another one first")
    visit.note("remove announcement", f"announcement:{path.name}")
    path.unlink()
    return back(f"/settings/{FOLDER}")


def _of_path(visit: Visit) -> Path:
    name: str = visit.request.path_params["name"]
    path = _folder(visit) / name
    if not _NAME.fullmatch(name) or not path.is_file():
        raise NotFound
    return path


def _folder(visit: Visit) -> Path:
    return visit.house.settings.data_dir / FOLDER
