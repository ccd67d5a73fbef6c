"""Coming in and going out."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from srs.archive.database import writing
from srs.privacy import tokens
from srs.privacy.errors import SecondFactor, SignInRefused
from srs.privacy.sign_in import sign_in
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
        to = inside(request.query_params.get("to", "/"))
        if request.method == "GET":
            return await run_in_threadpool(plain, say, "sign_in.html", 200, to=to, problem=None, name="", code=False)
        form = await request.form(max_files=0, max_fields=10)
        told = {name: str(form.get(name, "")) for name in ("name", "password", "code", "to")}
        return await run_in_threadpool(self._try, request, say, told)

    def _try(self, request: Request, say: Speaker, told: dict[str, str]) -> Response:
        now, where = datetime.now(UTC), origin(request)
        try:
            user = sign_in(self._house.engine, told["name"], told["password"], told["code"] or None, where, now)
        except SecondFactor:
            return plain(say, "sign_in.html", 200, to=told["to"], problem=None, name=told["name"], code=True)
        except SignInRefused:
            problem = say("Name, password or code are wrong, or there were too many attempts: wait a minute.")
            return plain(say, "sign_in.html", 403, to=told["to"], problem=problem, name=told["name"], code=False)
        with writing(self._house.engine) as session:
            secret = tokens.begin_session(session, user, where, now)
        response = RedirectResponse(inside(told["to"]), 303)
        secure = self._house.settings.web.secure
        response.set_cookie(self._house.cookie, secret, secure=secure, httponly=True, samesite="lax", path="/")
        return response


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
