"""Finding recordings, and looking at one."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sqlmodel import col, select
from starlette.responses import Response

from srs.archive import catalogue
from srs.archive.database import reading, writing
from srs.archive.search import Search, search
from srs.archive.searchable import complete
from srs.archive.tables import Recording, State
from srs.privacy.errors import Misuse
from srs.privacy.roles import Right
from srs.web import use
from srs.web.asker import Asker
from srs.web.marks import marks
from srs.web.pages import back, page, party
from srs.web.tables import SavedSearch
from srs.web.visit import Visit

ROWS: Final = 50
_POSITION: Final = re.compile("[0-9]{1,18}")
COLUMNS: Final = ("started", "caller", "callee", "length", "direction", "purpose", "tags", "quality", "peer", "note")
USUAL: Final = ("started", "caller", "callee", "length", "purpose", "tags", "quality")
FILTERS: Final = (
    "q",
    "since",
    "until",
    "min_s",
    "max_s",
    "purpose",
    "tag",
    "state",
    "held",
    "below",
    "mos_below",
    "extension",
    "group",
    "notice",
)


def listed(visit: Visit) -> Response:
    """What was found, newest first; that it was looked for is in the audit."""
    asked = {name: value.strip() for name, value in visit.request.query_params.items() if value.strip()}
    wanted = as_search(asked)
    before = int(asked["before"]) if _POSITION.fullmatch(asked.get("before", "")) else None
    kept: dict[str, str] = {name: asked[name] for name in FILTERS if name in asked}
    visit.note("list", "recordings", details=kept)
    found = search(visit.house.engine, wanted, visible=visit.sight().condition, before=before, limit=ROWS)
    columns = tuple(visit.request.query_params.getlist("column")) or USUAL
    fragment = visit.request.headers.get("x-fragment") == "rows"
    response = page(
        visit,
        "rows.html" if fragment else "recordings.html",
        found=found,
        asked=asked,
        filters=kept,
        all_columns=COLUMNS,
        columns=[name for name in COLUMNS if name in columns],
        chosen=[name for name in visit.request.query_params.getlist("column") if name in COLUMNS],
        saved=[] if fragment else saved_searches(visit),
        complete=complete,
        groups=[group.name for group in visit.house.settings.group],
        states=[state for state in State if state not in (State.RECORDING, State.CAPTURED)],
    )
    response.headers["Vary"] = "X-Fragment"
    return response


def as_search(asked: Mapping[str, str]) -> Search:
    """What the address asks for; what cannot be understood is left out."""
    return Search(
        text=asked.get("q", ""),
        since=_day(asked.get("since")),
        until=_day(asked.get("until")),
        min_s=_number(asked.get("min_s")),
        max_s=_number(asked.get("max_s")),
        purpose=asked.get("purpose"),
        tag=asked.get("tag"),
        state=asked.get("state"),
        held=True if asked.get("held") == "yes" else None,
        mos_below=_number(asked.get("mos_below")),
        extension=asked.get("extension"),
        group=asked.get("group"),
        notice=asked.get("notice"),
        below=None if (share := _number(asked.get("below"))) is None else share / 100,
    )


def _day(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(text: str | None) -> float | None:
    try:
        number = float((text or "").replace(",", "."))
    except ValueError:
        return None
    return number if abs(number) < 1e9 else None


def shown(visit: Visit) -> Response:
    """One recording; that it was looked at is in the audit."""
    row = visit.recording
    visit.note("show")
    return page(
        visit,
        "recording.html",
        row=row,
        marks=marks(row),
        lanes=[leg.name or (party(leg.aor) if leg.aor else f"{leg.channel + 1}") for leg in row.legs],
        rights={
            right.value: visit.may(right)
            for right in (Right.PLAY, Right.DOWNLOAD, Right.MAIL, Right.DELETE, Right.HOLD)
        },
        complete=complete(row),
        details=facts_of(visit, row),
        is_said=use.is_said(visit, row),
        said=use.purpose_of_use(visit),
        choices=dict(use.choices(visit)),
    )


def facts_of(asker: Asker, row: Recording) -> dict[str, Any]:
    """All facts but which other recordings there are: not all of them may be known to whoever asks.

    Keys that were pressed are a part of what was said: they are told to those who may play it.
    """
    told = catalogue.details(asker.house.engine, row, asker.house.store)
    if not asker.decide(Right.PLAY, row).allowed:
        told["leg_facts"] = [{k: v for k, v in leg.items() if k != "digits"} for leg in told["leg_facts"]]
    return {name: value for name, value in told.items() if name not in ("same_call", "file")}


# Saved searches


def saved_searches(asker: Asker) -> list[SavedSearch]:
    """Of who asks, by name."""
    query = select(SavedSearch).where(SavedSearch.user_id == asker.person.id).order_by(col(SavedSearch.name))
    with reading(asker.house.engine) as session:
        return list(session.exec(query))


def keep_search(asker: Asker, name: str, query: str) -> None:
    """Keep a search under a name, in place of another one of that name."""
    with writing(asker.house.engine) as session:
        session.merge(SavedSearch(user_id=asker.person.id, name=name, query=query))


def forget_search(asker: Asker, name: str) -> None:
    """Remove a saved search, if there is one."""
    with writing(asker.house.engine) as session:
        if row := session.get(SavedSearch, (asker.person.id, name)):
            session.delete(row)


def save(visit: Visit) -> Response:
    """Keep the search that is shown."""
    name, query = visit.form.get("name", "").strip()[:80], visit.form.get("query", "").lstrip("?")[:2000]
    if not name:
        raise Misuse("a saved search needs a name")
    keep_search(visit, name, query)
    return back(f"/recordings?{query}")


def forget(visit: Visit) -> Response:
    forget_search(visit, visit.form.get("name", ""))
    return back("/recordings")
