"""What holds for every request and answer: headers, where changes may come from, how large, how many. Pure ASGI."""

import hashlib
import time
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from srs.web.api import problems
from srs.web.language import Speaker, preferred
from srs.web.pages import plain

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types fragment"
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
API: Final = "/api/"
SAFE: Final = ("GET", "HEAD", "OPTIONS")
LARGEST_BODY: Final = 1 << 20
LARGEST_UPLOAD: Final = 10 << 20
"""Of a path that takes files."""
BURST: Final = 10
"""Seconds' worth of requests that may come at once."""


class Gate:
    """Around the application."""

    def __init__(self, app: ASGIApp, *, secure: bool, rate: float, uploads: Collection[str] = ()) -> None:
        self._app, self._secure = app, secure
        self._uploads = [compile_path(path)[0] for path in uploads]
        self._rates = Rates(rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if refusal := self._refusal(scope, headers):
            await refusal(scope, receive, self._with_headers(send))
        else:
            await self._app(scope, _limited(receive, self._largest(scope)), self._with_headers(send))

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        of_api = scope["path"].startswith(API)
        refuse = problems.answer if of_api else partial(_page, Speaker(preferred(headers.get("accept-language", ""))))
        now = time.monotonic()
        if not all(self._rates.take(asker, now) for asker in _askers(scope, headers)):
            return refuse("too-many-requests", "wait a little", {"Retry-After": "5"})
        if odd := _oddity(scope, headers):
            return refuse("malformed", odd, {"Connection": "close"})
        if "\n" in scope["path"]:  # the patterns of routes end before it
            return refuse("not-found", "nothing has such an address")
        # The API knows no cookies: what another site makes a browser send there is of nobody.
        if not of_api and scope["method"] not in SAFE and not is_own(headers, "https" if self._secure else "http"):
            return refuse("forbidden", "this request came from another site and was not carried out")
        length = headers.get("content-length", "0")
        largest = self._largest(scope)
        if not length.isdecimal() or int(length) > largest:
            return refuse("too-large", f"at most {largest} octets are taken")
        return None

    def _largest(self, scope: Scope) -> int:
        return LARGEST_UPLOAD if any(path.match(scope["path"]) for path in self._uploads) else LARGEST_BODY

    def _with_headers(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if self._secure:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        return sending


def _askers(scope: Scope, headers: Headers) -> Iterator[str]:
    """Who is counted: the address, and the token from wherever it comes."""
    client = scope.get("client")
    yield client[0] if client else ""
    if token := headers.get("authorization"):
        yield hashlib.sha256(token.encode()).hexdigest()


def _oddity(scope: Scope, headers: Headers) -> str | None:
    """What no honest client sends."""
    if "content-length" in headers and "transfer-encoding" in headers:
        return "a body has a length or comes in chunks, not both"  # RFC 9112 section 6.3: a proxy may see another end
    if b"%00" in scope["query_string"] or "\0" in scope["path"]:
        return "no text holds a NUL"
    return None


def _page(say: Speaker, name: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    status = problems.KINDS[name].status
    answer = plain(say, "error.html", status, status=status, why=say.explain(detail), before=None)
    answer.headers.update(headers or {})
    return answer


def is_own(headers: Headers, scheme: str) -> bool:
    """Whether a change is asked for by one of our own pages.

    Browsers say by Sec-Fetch-Site where a request comes from; on plain http Chromium says only Origin.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    return headers.get("origin") == f"{scheme}://{headers.get('host')}"


def _limited(receive: Receive, largest: int) -> Receive:
    """Bodies without a length end at the largest too."""
    taken = 0

    async def receiving() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > largest:
            raise HTTPException(413, f"at most {largest} octets are taken")
        return message

    return receiving


class Rates:
    """A bucket for each who asks: what comes faster than it runs out for long is refused."""

    def __init__(self, rate: float) -> None:
        """
        Args:
            rate: requests a second.
        """
        self._rate = rate
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, asker: str, now: float) -> bool:
        level, at = self._levels.get(asker, (0.0, now))
        level = max(0.0, level - (now - at) * self._rate)
        if level >= BURST * self._rate:
            return False
        if len(self._levels) > 10_000:
            self._levels.clear()
        self._levels[asker] = level + 1.0, now
        return True
