"""What was done, by whom, and why."""

from starlette.responses import Response

from srs.privacy.audit import Wanted, entries
from srs.web.pages import page
from srs.web.visit import Visit

ROWS = 200


def listed(visit: Visit) -> Response:
    """The last entries that fit, newest first. Looking is itself in the audit."""
    asked = visit.request.query_params
    wanted = Wanted(
        who=asked.get("who") or None,
        action=asked.get("action") or None,
        subject=asked.get("subject") or None,
        refused=True if asked.get("refused") else None,
    )
    visit.note("read audit", "audit", details={name: value for name, value in asked.items() if value})
    found = entries(visit.house.engine, wanted, newest_first=True, limit=ROWS)
    return page(visit, "audit.html", entries=found, asked=asked, rows=ROWS)
