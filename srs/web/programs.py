"""Tokens of programs that act for whoever makes them."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from starlette.responses import Response

from srs.archive.database import writing
from srs.privacy import tokens
from srs.privacy.errors import Misuse, Refused
from srs.privacy.roles import ROLES, Right
from srs.privacy.tables import Token, User
from srs.web.asker import Asker, NotFound
from srs.web.pages import back, page
from srs.web.visit import Visit

DAYS: Final = (30, 90, 365)


def own(asker: Asker) -> list[Token]:
    """Those of who asks."""
    return [token for token, user in tokens.issued(asker.house.engine) if user.id == asker.person.id]


def givable(asker: Asker) -> list[Right]:
    """What they may give: what they have, on whatever recordings, and by a token no more than that is for."""
    person = asker.person
    have = {right for role in person.assignments for right in (*role.rights, *ROLES[role.role].house)}
    return [right for right in Right if right in have and (person.limit is None or right in person.limit)]


def issue(asker: Asker, name: str, rights: Collection[Right], days: int) -> tuple[Token, str]:
    """A new token, and the secret that is shown this once.

    Raises:
        Refused: it would allow more than they may.
        Misuse: it has no name, or allows nothing.
    """
    if beyond := set(rights) - set(givable(asker)):
        raise Refused(f"you cannot give {', '.join(sorted(beyond))}: you do not have it")
    with writing(asker.house.engine) as session:
        user = session.get_one(User, asker.person.id)
        token, secret = tokens.issue(session, user, name, rights, asker.now, timedelta(days=days))
        details = {"rights": token.rights, "days": days}
        asker.write("issue token", f"token:{token.name}", details=details, within=session)
    return token, secret


def give_up(asker: Asker, id_: str) -> None:
    """Make one of their own worthless.

    Raises:
        NotFound: it is none of theirs.
    """
    if id_ not in [token.id for token in own(asker)]:
        raise NotFound
    with writing(asker.house.engine) as session:
        name = tokens.revoke(session, id_).name
        asker.write("revoke token", f"token:{name}", within=session)


# Pages


def listed(visit: Visit) -> Response:
    return _shown(visit, None)


def _shown(visit: Visit, secret: str | None) -> Response:
    return page(visit, "tokens.html", tokens=own(visit), secret=secret, rights=givable(visit), days=DAYS)


def add(visit: Visit) -> Response:
    """The token is shown this once."""
    form = visit.form
    if form.get("days", "") not in map(str, DAYS):
        raise Misuse("for how many days?")
    rights = [right for right in givable(visit) if form.get(f"right-{right}")]
    _, secret = issue(visit, form.get("name", ""), rights, int(form["days"]))
    return _shown(visit, secret)


def revoke(visit: Visit) -> Response:
    give_up(visit, visit.form.get("token", ""))
    return back("/account/tokens")
