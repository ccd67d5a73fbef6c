"""The sound of a recording: to hear in the page, by ranges, and to take along."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from starlette.background import BackgroundTask
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response, StreamingResponse

from srs.archive import peaks
from srs.archive.audio import FORMATS
from srs.archive.errors import NotReady
from srs.archive.export import export, open_sound
from srs.archive.store import Store
from srs.archive.tables import Recording
from srs.privacy.audit import Wanted, entries
from srs.privacy.errors import Misuse
from srs.privacy.tokens import SESSION_LONGEST
from srs.web import use
from srs.web.asker import Asker
from srs.web.visit import Visit

TYPES: Final = {"wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac", "opus": "audio/ogg"}
CHUNK: Final = 1 << 16
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")


def play(visit: Visit) -> Response:
    return stream(visit, visit.recording, visit.request.headers, use.check(visit, "play"))


def stream(asker: Asker, row: Recording, asked: Headers, purpose: str | None) -> Response:
    """The sound as it is kept, or the range of it that is asked for; that it is played is in the audit.

    Once for what a player gets piece by piece; but nobody gets a piece of what they did not begin.
    """
    etag, subject = f'"{row.sha256}"', f"recording:{row.id}"
    wanted = asked.get("range") if asked.get("if-range", etag) == etag else None
    file = open_sound(row, asker.house.store)

    def note(start: int) -> None:
        if start == 0 or not _has_begun(asker, subject):
            asker.write("play", subject, reason=purpose)

    return ranged(file, etag, TYPES[row.format or "wav"], wanted, note)


def _has_begun(asker: Asker, subject: str) -> bool:
    mine = Wanted(asker.person.label, "play", subject, asker.now - SESSION_LONGEST, refused=False)
    return bool(entries(asker.house.engine, mine, limit=1))


def ranged(
    file: IO[bytes], etag: str, media_type: str, wanted: str | None, note: Callable[[int], None] = lambda _: None
) -> Response:
    """A file, or the range of it that is wanted; it is closed afterwards.

    Args:
        note: called with the place of the first octet before any is given.
    """
    size = file.seek(0, 2)  # of the sound itself: what is stored may be sealed
    span = _span(wanted, size)
    if span is None:
        file.close()
        raise HTTPException(416, "the sound has no such octets", {"Content-Range": f"bytes */{size}"})
    note(span[0])
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(span[1] - span[0]),
        "ETag": etag,
        "Cache-Control": "private, no-store",
    }
    is_part = wanted is not None and span != (0, size)
    if is_part:
        headers["Content-Range"] = f"bytes {span[0]}-{span[1] - 1}/{size}"
    return StreamingResponse(_read(file, *span), 206 if is_part else 200, headers, media_type)


def _span(asked: str | None, size: int) -> tuple[int, int] | None:
    """From which octet to before which; None: outside of the sound."""
    match = _RANGE.fullmatch(asked or "")
    if match is None or match[0] == "bytes=-":
        return 0, size
    first, last = match[1], match[2]
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
    return (start, end) if start < end else None


def _read(file: IO[bytes], start: int, end: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while start < end and (piece := file.read(min(CHUNK, end - start))):
            start += len(piece)
            yield piece


def peaks_of(visit: Visit) -> Response:
    use.check(visit, "outline")
    return outline(visit.recording, visit.house.store, visit.request.headers)


def outline(row: Recording, store: Store, asked: Headers) -> Response:
    """The outline of the sound (`rtp.peaks`)."""
    etag = f'"peaks-{row.sha256}"'
    if asked.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    found = peaks.load(store, row.file, row.key) if row.file else None
    if found is None:
        raise NotReady(f"there is no outline of {row.id}")
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    return Response(found.to_bytes(), media_type="application/octet-stream", headers=headers)


def download(visit: Visit) -> Response:
    """The sound as a file of the format that is asked for."""
    row, kind = visit.recording, visit.request.query_params.get("format", "wav")
    if kind not in FORMATS:
        raise Misuse(f"format must be one of {', '.join(FORMATS)}")
    purpose = use.check(visit, "download")

    def write(target: Path) -> None:
        visit.note("download", reason=purpose, details={"format": kind})
        export(row, visit.house.store, kind, target)

    return made(write, file_name(row, kind), TYPES[kind])


def made(make: Callable[[Path], None], name: str, media_type: str) -> FileResponse:
    """A file that is made for one answer and gone after it."""
    with tempfile.NamedTemporaryFile(suffix=Path(name).suffix, delete=False) as file:
        target = Path(file.name)
    try:
        make(target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    forget = BackgroundTask(target.unlink, missing_ok=True)
    return FileResponse(target, media_type=media_type, filename=name, background=forget)


def zipped(fill: Callable[[Path], object], name: str) -> FileResponse:
    """A folder that is made for one answer, as a ZIP."""

    def write(target: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            fill(Path(folder))
            shutil.move(shutil.make_archive(f"{target}-made", "zip", folder), target)

    return made(write, name, "application/zip")


def file_name(row: Recording, kind: str) -> str:
    """Says when and which, not who: names of files end up in many places."""
    return f"{row.started_at:%Y-%m-%d_%H%M%S}_{row.id[:8]}.{kind}"
