"""Signing in by an OpenID provider: there, and back."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from srs.privacy.errors import Misuse, NoSuchUser, NotBelieved, ProviderAway, SignInRefused
from srs.privacy.known import sign_in
from srs.privacy.oidc import Attempt, Provider
from srs.web.house import House
from srs.web.language import Speaker
from srs.web.sign_in import admit, inside, refused
from srs.web.visit import language, origin

BACK: Final = "/sign-in/oidc/back"
LONGEST_S: Final = 600
"""That somebody may take at the provider."""


class ProviderDoor:
    """The two pages that the button for signing in leads through. Nothing is kept of an attempt but its cookie."""

    def __init__(self, house: House) -> None:
        self._house, self._provider = house, Provider(house.settings.oidc)

    async def leave(self, request: Request) -> Response:
        """Send the browser to the provider."""
        return await run_in_threadpool(self._in_words, request, self._leave)

    async def back(self, request: Request) -> Response:
        """It comes back."""
        return await run_in_threadpool(self._in_words, request, self._back)

    def _in_words(self, request: Request, answer: Callable[[Request], Response]) -> Response:
        say = Speaker(language(request))
        try:
            return answer(request)
        except ProviderAway:
            problem = say("The provider does not answer now: sign in with name and password, or try again later.")
        except NotBelieved:
            problem = say("That sign-in came to nothing: begin it again. The audit says why.")
        except NoSuchUser:
            problem = say("There is no user of your name here: an administrator must make one.")
        except SignInRefused:
            problem = say("Your user here is disabled, or signs in otherwise: ask an administrator.")
        except Misuse:
            problem = say("What the provider says of you does not fit the settings: the audit says why.")
        return refused(self._house, say, problem)

    def _leave(self, request: Request) -> Response:
        attempt = Attempt.new()
        response = RedirectResponse(self._provider.address(attempt, self._address(request)), 303)
        told = f"{attempt.secret}.{quote(inside(request.query_params.get('to', '/')), safe='')}"
        response.set_cookie(self._cookie, told, LONGEST_S, secure=self._secure, httponly=True, samesite="lax", path="/")
        return response

    def _back(self, request: Request) -> Response:
        secret, _, to = request.cookies.get(self._cookie, "").partition(".")
        attempt = Attempt(secret) if secret else Attempt.new()
        now, where, house = datetime.now(UTC), origin(request), self._house
        user = sign_in(house.engine, self._provider, attempt, self._address(request), str(request.url), where, now)
        response = admit(house, user, where, unquote(to), now)
        response.delete_cookie(self._cookie, path="/", secure=self._secure, httponly=True, samesite="lax")
        return response

    def _address(self, request: Request) -> str:
        """Where the provider is to send the browser."""
        return (self._house.settings.oidc.url or str(request.base_url)).rstrip("/") + BACK

    @property
    def _secure(self) -> bool:
        return self._house.settings.web.secure

    @property
    def _cookie(self) -> str:
        return f"{self._house.cookie}-oidc"
