"""A recording by a link from a mail: for whoever has it, as long as it holds. Every download is in the audit.

Opening the link gives nothing yet: programs that look after mail open every link in it.
"""

from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from srs.archive.database import reading
from srs.archive.export import export
from srs.archive.tables import Recording
from srs.handoff import links
from srs.handoff.tables import Link
from srs.privacy import audit
from srs.privacy.audit import Act
from srs.web.asker import NotFound
from srs.web.house import House
from srs.web.language import Speaker
from srs.web.pages import plain
from srs.web.sound import TYPES, file_name, made
from srs.web.visit import language, origin

FORMAT = "mp3"


class Links:
    """Answers those who are not signed in but have a link."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def page(self, request: Request) -> Response:
        return await run_in_threadpool(self._answer, request)

    def _answer(self, request: Request) -> Response:
        now = datetime.now(UTC)
        link, row = self._find(request.path_params["token"], now)
        if request.method != "POST":
            return plain(Speaker(language(request)), "link.html", 200, row=row, until=link.expires_at)
        answer = made(
            lambda target: export(row, self._house.store, FORMAT, target), file_name(row, FORMAT), TYPES[FORMAT]
        )
        act = Act("link", "download", f"recording:{row.id}", origin(request), link.purpose, details={"format": FORMAT})
        audit.record(self._house.engine, act, now)
        return answer

    def _find(self, token: str, now: datetime) -> tuple[Link, Recording]:
        with reading(self._house.engine) as session:
            link = links.find(session, token, now)
            row = session.get(Recording, link.recording_id) if link is not None else None
        if link is None or row is None:
            raise NotFound
        return link, row
