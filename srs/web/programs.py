"""Tokens of programs that act for the visitor."""

from datetime import timedelta
from typing import Final

from starlette.responses import Response

from srs.archive.database import writing
from srs.privacy import tokens
from srs.privacy.errors import Misuse
from srs.privacy.roles import ROLES, Right
from srs.privacy.tables import User
from srs.web.pages import back, page
from srs.web.visit import Visit

DAYS: Final = (30, 90, 365)


def listed(visit: Visit) -> Response:
    return _shown(visit, None)


def _shown(visit: Visit, secret: str | None) -> Response:
    own = [token for token, user in tokens.issued(visit.house.engine) if user.id == visit.user.id]
    return page(visit, "tokens.html", tokens=own, secret=secret, rights=_rights(visit), days=DAYS)


def _rights(visit: Visit) -> list[Right]:
    """What the visitor may give: what they have, on whatever recordings."""
    have = {right for role in visit.person.assignments for right in (*role.rights, *ROLES[role.role].house)}
    return [right for right in Right if right in have]


def add(visit: Visit) -> Response:
    """The token is shown this once."""
    form = visit.form
    rights = [right for right in _rights(visit) if form.get(f"right-{right}")]
    if form.get("days", "") not in map(str, DAYS):
        raise Misuse("for how many days?")
    with writing(visit.house.engine) as session:
        user = session.get_one(User, visit.user.id)
        lifetime = timedelta(days=int(form["days"]))
        token, secret = tokens.issue(session, user, form.get("name", ""), rights, visit.now, lifetime)
    visit.note("issue token", f"token:{token.name}", details={"rights": token.rights, "days": form["days"]})
    return _shown(visit, secret)


def revoke(visit: Visit) -> Response:
    """One of the visitor's own."""
    id_ = visit.form.get("token", "")
    if id_ not in [token.id for token, user in tokens.issued(visit.house.engine) if user.id == visit.user.id]:
        raise Misuse("there is no such token of yours")
    with writing(visit.house.engine) as session:
        name = tokens.revoke(session, id_).name
    visit.note("revoke token", f"token:{name}")
    return back("/account/tokens")
