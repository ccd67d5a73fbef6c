"""What is changed of a recording: tags and note, hold, deletion; first a page says what will happen."""

from starlette.responses import Response

from srs.archive import catalogue
from srs.archive.database import writing
from srs.archive.errors import NotReady
from srs.archive.tables import Recording
from srs.handoff.delete import delete as delete_now
from srs.web.pages import back, page
from srs.web.visit import Visit

LONGEST_NOTE = 4000
LONGEST_TAG = 60
MOST_TAGS = 20


def words(visit: Visit) -> Response:
    """Tags and note."""
    tags = [tag.strip()[:LONGEST_TAG] for tag in visit.form.get("tags", "").split(",") if tag.strip()]
    with writing(visit.house.engine) as session:
        row = session.get(Recording, visit.recording.id, with_for_update=True)
        if row is None:
            raise NotReady("tags and note can be given when the call has ended")
        row.tags = list(dict.fromkeys(tags))[:MOST_TAGS]
        row.note = visit.form.get("note", "").strip()[:LONGEST_NOTE] or None
        visit.note("tags and note", details={"tags": tags}, within=session)
    return back(f"/recordings/{visit.recording.id}")


def ask_delete(visit: Visit) -> Response:
    return page(visit, "confirm.html", row=visit.recording, action="delete")


def delete(visit: Visit) -> Response:
    """The sound goes for good; that there was a recording stays known."""
    house, row, reason = visit.house, visit.recording, f"by hand: {visit.reason}"
    visit.note("delete")
    delete_now(house.engine, house.store, house.settings, row.id, visit.now, reason, visit.person.label)
    return back(f"/recordings/{row.id}")


def ask_hold(visit: Visit) -> Response:
    return page(visit, "confirm.html", row=visit.recording, action="release" if visit.recording.held else "hold")


def hold(visit: Visit) -> Response:
    """Put it under legal hold, or release it."""
    held = not visit.recording.held
    visit.note("hold" if held else "release hold", reason=visit.reason)
    catalogue.hold(visit.house.engine, visit.recording.id, held=held)
    return back(f"/recordings/{visit.recording.id}")
