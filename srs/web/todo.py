"""What is to be done with recordings after the call, and what could not be done."""

from typing import Final

from starlette.responses import Response

from srs.handoff import tasks
from srs.handoff.tables import TaskState
from srs.privacy.errors import Misuse
from srs.privacy.roles import Right
from srs.web.asker import NotFound
from srs.web.pages import back, page
from srs.web.visit import Visit

ROWS: Final = 200


def listed(visit: Visit) -> Response:
    """Those that need a person first; of the others those first that are due first."""
    wanted = visit.request.query_params.get("state", "")
    states = [wanted] if wanted in list(TaskState) else [TaskState.FAILED, TaskState.RUNNING, TaskState.DUE]
    found = [task for state in states for task in tasks.listing(visit.house.engine, [state], ROWS)][:ROWS]
    counts = tasks.counts(visit.house.engine)
    may = visit.may(Right.SETTINGS)
    return page(visit, "tasks.html", tasks=found, counts=counts, wanted=wanted, may_change=may, rows=ROWS)


def change(visit: Visit) -> Response:
    """Have one done now, or not at all."""
    number, wanted = visit.request.path_params["number"], visit.form.get("do", "")
    if not number.isdecimal():
        raise NotFound
    doing = {"retry": tasks.retry, "cancel": tasks.cancel}.get(wanted)
    if doing is None:
        raise Misuse("a task is retried or cancelled")
    visit.note(f"{wanted} task", f"task:{number}")
    doing(visit.house.engine, int(number), visit.now)
    return back("/tasks")
