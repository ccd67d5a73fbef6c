"""Recordings: found, read, changed, held, deleted."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import Field

from srs.archive import catalogue
from srs.archive.database import writing
from srs.archive.errors import NotReady
from srs.archive.search import Search, search
from srs.archive.tables import Recording as Row
from srs.handoff.delete import delete as delete_now
from srs.privacy.roles import Right
from srs.web.api.caller import About, about, having
from srs.web.api.described import Recording, described
from srs.web.api.once import Once
from srs.web.api.problems import Trouble
from srs.web.api.words import Asked, Cursor, Limit, Listed, Moment, Reason, Word
from srs.web.asker import Asker
from srs.web.change import LONGEST_NOTE, LONGEST_TAG, MOST_TAGS
from srs.web.recordings import facts_of

router = APIRouter(prefix="/recordings", tags=["recordings"], route_class=Once)


class Filters(Asked):
    """Which recordings; all that is given must hold."""

    q: Word = Field(default="", description="Words in addresses, names, tags and note; or a number, however written.")
    since: Moment | None = Field(default=None, description="Began then or later.")
    until: Moment | None = Field(default=None, description="Began before.")
    min_s: float | None = Field(default=None, ge=0, le=1e9)
    max_s: float | None = Field(default=None, ge=0, le=1e9)
    purpose: Word | None = None
    tag: Word | None = None
    state: Literal["ready", "failed", "deleted"] | None = None
    held: Literal["true", "false"] | None = None
    complete_below: float | None = Field(
        default=None, ge=0, le=1, description="Less than this share of the packets of some leg came."
    )
    mos_below: float | None = Field(default=None, ge=1, le=5, description="The estimated MOS of some leg is lower.")
    extension: Word | None = Field(default=None, description="A party has exactly this number.")
    group: Word | None = Field(default=None, description="A party is of this [[group]].")
    notice: Literal["heard", "outside", "missing", "unchecked"] | None = Field(
        default=None, description="What is known of the parties' having been told that the call is recorded."
    )
    cursor: Cursor = None
    limit: Limit = 50

    def search(self) -> Search:
        """As the archive asks."""
        same = self.model_dump(exclude={"q", "held", "complete_below", "cursor", "limit"})
        held = None if self.held is None else self.held == "true"
        return Search(text=self.q, held=held, below=self.complete_below, **same)


@router.get("")
def find(caller: Annotated[Asker, having(Right.LIST)], wanted: Annotated[Filters, Query()]) -> Listed[Recording]:
    """The recordings that the caller may know of, newest first."""
    asked = wanted.model_dump(mode="json", exclude_defaults=True, exclude={"cursor", "limit"})
    caller.write("list", "recordings", details=asked)
    visible = caller.sight().condition
    page = search(caller.house.engine, wanted.search(), visible=visible, before=wanted.cursor, limit=wanted.limit)
    return Listed(items=[described(row) for row in page.rows], next=page.older)


Listed_ = Annotated[About, about()]
_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "As it was."}}


@router.get("/{id}", responses=_UNCHANGED, response_model=Recording)
def one(found: Listed_, request: Request, response: Response) -> Any:  # noqa: ANN401
    """One recording, with its ETag; also a call under way."""
    found.note("show")
    known = described(found.row)
    if request.headers.get("if-none-match") == known.etag:
        return Response(status_code=304, headers={"ETag": known.etag})
    response.headers["ETag"] = known.etag
    return known


@router.get("/{id}/facts")
def facts(found: Listed_) -> dict[str, Any]:
    """All that is known of one: losses, pauses, digits, notices, identifiers …"""
    found.note("show", facts=True)
    return facts_of(found.caller, found.row)


class Words(Asked):
    """What people have to say of a recording; what is not given stays."""

    tags: list[Annotated[str, Field(min_length=1, max_length=LONGEST_TAG, pattern=r"^[^\x00-\x1f\x7f,]+$")]] | None = (
        Field(default=None, max_length=MOST_TAGS)
    )
    note: Annotated[str, Field(max_length=LONGEST_NOTE, pattern=r"^[^\x00]*$")] | None = None


@router.patch("/{id}")
def change(
    found: Annotated[About, about(Right.PLAY)],
    words: Words,
    response: Response,
    if_match: Annotated[str | None, Header(description="The ETag of what is changed.")] = None,
) -> Recording:
    """Change tags and note."""
    if if_match is None:
        raise Trouble("etag-needed")
    given = words.model_dump(exclude_unset=True)
    found.note("tags and note", **given)
    with writing(found.caller.house.engine) as session:
        row = session.get(Row, found.row.id, with_for_update=True)
        if row is None:
            raise NotReady("tags and note can be given when the call has ended")
        if if_match not in ("*", described(row).etag):
            raise Trouble("changed")
        row.tags = list(dict.fromkeys(row.tags if words.tags is None else words.tags))
        row.note = (words.note or "").strip() or None if "note" in given else row.note
        known = described(row)
    response.headers["ETag"] = known.etag
    return known


ReasonQuery = Annotated[Reason, Query(description="Why; it stands in the audit.")]


@router.delete("/{id}", status_code=204)
def delete(found: Annotated[About, about(Right.DELETE)], reason: ReasonQuery) -> None:
    """Delete the sound for good; that there was a recording stays known. A second time does no harm."""
    house, caller = found.caller.house, found.caller
    found.note("delete", reason)
    why = f"by hand: {reason.strip()}"
    delete_now(house.engine, house.store, house.settings, found.row.id, caller.now, why, caller.person.label)


Held = Annotated[About, about(Right.HOLD)]


@router.put("/{id}/hold")
def hold(found: Held, reason: ReasonQuery) -> Recording:
    """Put it under legal hold: nothing deletes it."""
    return _hold(found, reason, held=True)


@router.delete("/{id}/hold")
def release(found: Held, reason: ReasonQuery) -> Recording:
    """End the legal hold."""
    return _hold(found, reason, held=False)


def _hold(found: About, reason: str, *, held: bool) -> Recording:
    found.note("hold" if held else "release hold", reason)
    catalogue.hold(found.caller.house.engine, found.row.id, held=held)
    return described(found.caller.find(found.row.id))
