"""Coming in and going out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from srs.archive.database import writing
from srs.privacy import tokens
from srs.privacy.errors import PasswordOver, SecondFactor, SignInRefused
from srs.privacy.sign_in import sign_in
from srs.privacy.tables import User
from srs.web.house import House
from srs.web.language import Speaker
from srs.web.pages import back, plain
from srs.web.visit import Visit, language, origin


class Door:
    """The only page that somebody who is not signed in can do something with."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def page(self, request: Request) -> Response:
        say = Speaker(language(request))
        if request.method == "GET":
            to = inside(request.query_params.get("to", "/"))
            return await run_in_threadpool(_form, self._house, say, {"to": to})
        form = await request.form(max_files=0, max_fields=10)
        told = {name: str(form.get(name, "")) for name in ("name", "password", "code", "to")}
        return await run_in_threadpool(self._try, request, say, told)

    def _try(self, request: Request, say: Speaker, told: dict[str, str]) -> Response:
        now, where = datetime.now(UTC), origin(request)
        try:
            user = sign_in(self._house.engine, told["name"], told["password"], told["code"] or None, where, now)
        except SecondFactor:
            return _form(self._house, say, told, code=True)
        except PasswordOver:
            problem = say("That password was good for a first sign-in which came too late: ask for a new one.")
        except SignInRefused:
            problem = say("Name, password or code are wrong, or there were too many attempts: wait a minute.")
        else:
            return admit(self._house, user, where, told["to"], now)
        return refused(self._house, say, problem, told)


def _form(
    house: House,
    say: Speaker,
    told: Mapping[str, str],
    status: int = 200,
    problem: str | None = None,
    code: bool = False,
) -> Response:
    oidc = house.settings.oidc
    provider = oidc.label if oidc.issuer else None
    known = {"to": told.get("to", "/"), "name": told.get("name", "")}
    return plain(say, "sign_in.html", status, **known, problem=problem, code=code, provider=provider)


def refused(house: House, say: Speaker, problem: str, told: Mapping[str, str] = MappingProxyType({})) -> Response:
    """The page again, and why."""
    return _form(house, say, told, 403, problem)


def admit(house: House, user: User, where: str, to: str, now: datetime) -> Response:
    """Somebody is signed in; on to the page that was wanted."""
    with writing(house.engine) as session:
        secret = tokens.begin_session(session, user, where, now)
    response = RedirectResponse(inside(to), 303)
    remember(house, response, secret)
    return response


def remember(house: House, response: Response, secret: str) -> None:
    """Have the browser say from now on who it is."""
    response.set_cookie(house.cookie, secret, secure=house.settings.web.secure, httponly=True, samesite="lax", path="/")


def inside(to: str) -> str:
    """A path of ours: nobody is sent elsewhere after signing in."""
    parts = urlsplit(to)
    good = not parts.scheme and not parts.netloc and to.startswith("/") and not to.startswith(("//", "/\\"))
    return to if good else "/"


def leave(visit: Visit) -> Response:
    """Sign out."""
    house = visit.house
    with writing(house.engine) as session:
        tokens.end_session(session, visit.request.cookies.get(house.cookie, ""))
    response = back("/sign-in")
    response.delete_cookie(house.cookie, path="/", secure=house.settings.web.secure, httponly=True, samesite="lax")
    return response
