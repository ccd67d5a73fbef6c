"""The privacy officer's desk: what those who were recorded ask for, receipts of deletions, the report."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal

from sqlmodel import col, select
from starlette.responses import Response

from srs.archive.database import reading
from srs.handoff.tables import Receipt
from srs.privacy.errors import Misuse
from srs.privacy.person import recordings_of
from srs.privacy.report import report as count
from srs.privacy.request import of_period
from srs.privacy.rights import Desk
from srs.privacy.roles import Right
from srs.web.asker import Asker
from srs.web.pages import back, page
from srs.web.sound import made, zipped
from srs.web.visit import Visit

ROWS: Final = 200
EARLIER: Final = timedelta(days=366)
_TYPES: Final = {"pdf": "application/pdf", "html": "text/html"}


def home(visit: Visit) -> Response:
    """What there is on the desk."""
    first = visit.now.date().replace(day=1)
    last_month = ((first - timedelta(days=1)).replace(day=1), first - timedelta(days=1))
    return page(visit, "desk.html", period=last_month, may_find=visit.may(Right.REQUESTS))


def report(visit: Visit) -> Response:
    """The data-protection report of a period, as a file."""
    from srs.privacy.report_pages import write  # knows matplotlib, which the pages need not load

    asked = visit.request.query_params
    since, until = _day(asked.get("from")), _day(asked.get("to"))
    kind = asked.get("format", "pdf")
    if not since <= until < date.max or kind not in _TYPES:
        raise Misuse("a report is of a first and a last day, as pdf or html")
    period = [datetime.combine(day, time(), UTC) for day in (since, until + timedelta(days=1))]
    visit.note("report", details={"from": str(since), "to": str(until)})
    found = count(visit.house.engine, visit.house.settings, period[0], period[1], visit.now)
    language: Literal["nl", "en"] = "nl" if asked.get("language") == "nl" else "en"
    return made(lambda target: write(found, language, target), f"report_{since}_{until}.{kind}", _TYPES[kind])


def _day(text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError as error:
        raise Misuse(f"{text!r} is no day: give it as 2026-12-31") from error


def receipts(visit: Visit) -> Response:
    """What was deleted, newest first; of one recording where it is named."""
    wanted = visit.request.query_params.get("recording", "").strip()
    query = select(Receipt).order_by(col(Receipt.id).desc()).limit(ROWS)
    if wanted:
        query = query.where(col(Receipt.recording_id).startswith(wanted, autoescape=True))
    with reading(visit.house.engine) as session:
        found = list(session.exec(query))
    return page(visit, "receipts.html", receipts=found, wanted=wanted, rows=ROWS)


# Those who were recorded


def persons(visit: Visit) -> Response:
    """Every recording of somebody, and what was asked for before."""
    person = visit.request.query_params.get("person", "").strip()
    found = []
    if person:
        visit.note("find person", f"person:{person}")
        found = recordings_of(visit.house.engine, person)
    earlier = of_period(visit.house.engine, visit.now - EARLIER, visit.now + timedelta(minutes=1))[::-1][:ROWS]
    return page(visit, "persons.html", person=person, found=found, earlier=earlier)


def access(visit: Visit) -> Response:
    """What somebody said in every call, the other parties silenced, and what is known of each call: a ZIP."""
    return accessed(visit, _person(visit))


def ask_erase(visit: Visit) -> Response:
    """What will happen."""
    person = _person(visit)
    found = recordings_of(visit.house.engine, person)
    return page(visit, "erase.html", person=person, found=found, receipt=None)


def erase(visit: Visit) -> Response:
    """Erase, and show the receipt."""
    person, desk = _person(visit), desk_of(visit)
    receipt = desk.receipt(person, desk.erase(person, visit.now), visit.now)
    return page(visit, "erase.html", person=person, found=[], receipt=receipt)


def restrict(visit: Visit) -> Response:
    """Hold every recording of somebody, or let go."""
    person = _person(visit)
    desk_of(visit).restrict(person, visit.now, held=visit.form.get("do") != "release")
    return back("/privacy/persons")


def _person(visit: Visit) -> str:
    person = (visit.form.get("person") or visit.request.query_params.get("person") or "").strip()
    if not person:
        raise Misuse("whose recordings? Give a number, an address or a name")
    return person


def desk_of(asker: Asker) -> Desk:
    """At which whoever asks carries out what persons ask for."""
    house = asker.house
    return Desk(house.settings, house.engine, house.store, asker.person.label, asker.origin)


def accessed(asker: Asker, person: str) -> Response:
    """All that somebody said and all that is known of their calls, as a ZIP."""
    return zipped(lambda folder: desk_of(asker).access(person, folder, asker.now), "access.zip")
