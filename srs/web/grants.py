"""Leave for one recording: asked for by anybody who knows its id, given or refused by somebody else."""

from datetime import timedelta

from starlette.responses import Response

from srs.archive.database import reading, writing
from srs.privacy import grants, users
from srs.privacy.errors import Misuse
from srs.privacy.roles import ON_RECORDINGS, Right
from srs.web.pages import back, page
from srs.web.visit import Visit


def shown(visit: Visit) -> Response:
    """What the visitor asked for; for who decides, also what others ask for now."""
    waiting = grants.requests(visit.house.engine, undecided=True) if visit.may(Right.GRANT) else []
    with reading(visit.house.engine) as session:
        own = grants.of_user(session, visit.user)
    others = [(grant, user) for grant, user in waiting if user.id != visit.user.id]
    asked, rights = visit.request.query_params.get("id", ""), sorted(ON_RECORDINGS)
    return page(visit, "requests.html", own=own, waiting=others, asked=asked, now=visit.now, rights=rights)


def ask(visit: Visit) -> Response:
    """Whether there is such a recording is not told."""
    id_, wanted = visit.form.get("id", "").strip(), visit.form.get("right", "")
    if wanted not in ON_RECORDINGS or not id_:
        raise Misuse("say which recording, and what for")
    with writing(visit.house.engine) as session:
        user = users.get(session, visit.user.name)
        grants.ask(session, user, id_, Right(wanted), visit.form.get("reason", ""), visit.now)
        visit.note("ask", f"recording:{id_}", details={"right": wanted}, within=session)
    return back("/requests")


def _period(hours: str) -> timedelta:
    if not hours.isdecimal() or int(hours) == 0:
        raise Misuse("leave is given for a whole number of hours")
    return timedelta(hours=min(int(hours), 1_000_000))


def decide(visit: Visit) -> Response:
    """Give leave for some hours, or refuse."""
    period = _period(visit.form.get("hours", "")) if visit.form.get("do") == "grant" else None
    with writing(visit.house.engine) as session:
        grant = grants.decide(session, visit.request.path_params["grant"], visit.person, visit.now, period)
        details = {"until": str(grant.until), "to": grant.user_id, "right": grant.right}
        action, subject = "grant" if period else "refuse", f"recording:{grant.recording_id}"
        visit.note(action, subject, reason=grant.reason, details=details, within=session)
    return back("/requests")
