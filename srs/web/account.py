"""What users do about themselves: password, language."""

from starlette.responses import Response

from srs.archive.database import writing
from srs.privacy import passwords, tokens, users
from srs.privacy.errors import Misuse
from srs.web.language import LANGUAGES
from srs.web.pages import back, page
from srs.web.sign_in import remember
from srs.web.visit import Visit


def shown(visit: Visit) -> Response:
    return page(visit, "account.html", roles=visit.person.assignments)


def change(visit: Visit) -> Response:
    """The language."""
    chosen = visit.form.get("language", "")
    if chosen not in LANGUAGES:
        raise Misuse(f"language must be one of {', '.join(LANGUAGES)}")
    with writing(visit.house.engine) as session:
        users.get(session, visit.user.name).language = chosen
    return back("/account")


def password_page(visit: Visit) -> Response:
    return page(visit, "password.html", problem=None, shortest=passwords.SHORTEST)


def set_password(visit: Visit) -> Response:
    """A new password; all browsers of the user but this one are signed out."""
    old, new, again = (visit.form.get(name, "") for name in ("old", "new", "again"))
    problem = _problem(visit, old, new, again)
    if problem is not None:
        return page(visit, "password.html", 400, problem=problem, shortest=passwords.SHORTEST)
    house = visit.house
    with writing(house.engine) as session:
        user = users.get(session, visit.user.name)
        users.set_password(session, user, new)
        secret = tokens.begin_session(session, user, visit.origin, visit.now)
        visit.note("set password", f"user:{user.name}", within=session)
    response = back("/")
    remember(house, response, secret)
    return response


def _problem(visit: Visit, old: str, new: str, again: str) -> str | None:
    say = visit.say
    if not passwords.is_right(old, visit.user.password):
        return say("The present password is wrong.")
    if new != again:
        return say("The two new passwords differ.")
    if len(new) < passwords.SHORTEST:
        return say("A password has at least {shortest} characters.", shortest=passwords.SHORTEST)
    return say("The new password is the old one.") if new == old else None
