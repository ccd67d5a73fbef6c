"""What holds for every request and answer: headers, where changes may come from, how large, how many. Pure ASGI."""

import time
from collections.abc import Collection, Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
SAFE: Final = ("GET", "HEAD", "OPTIONS")
LARGEST_BODY: Final = 1 << 20
LARGEST_UPLOAD: Final = 10 << 20
"""Of a path that takes files."""
RATE: Final = 20.0
"""Requests a second of one address, over time."""
BURST: Final = 200.0


class Gate:
    """Around the application."""

    def __init__(self, app: ASGIApp, *, secure: bool, uploads: Collection[str] = ()) -> None:
        self._app, self._secure, self._uploads = app, secure, uploads
        self._rates = Rates()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if refusal := self._refusal(scope, headers):
            await refusal(scope, receive, self._with_headers(send))
        else:
            await self._app(scope, _limited(receive, self._largest(scope)), self._with_headers(send))

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        client = scope.get("client")
        if not self._rates.take(client[0] if client else "", time.monotonic()):
            return PlainTextResponse("Too many requests: wait a little.", 429, {"Retry-After": "5"})
        if scope["method"] not in SAFE and not is_own(headers, "https" if self._secure else "http"):
            return PlainTextResponse("This request came from another site and was not carried out.", 403)
        length = headers.get("content-length", "0")
        largest = self._largest(scope)
        if not length.isdecimal() or int(length) > largest:
            return PlainTextResponse(f"At most {largest} octets are taken.", 413)
        return None

    def _largest(self, scope: Scope) -> int:
        return LARGEST_UPLOAD if scope["path"] in self._uploads else LARGEST_BODY

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


def is_own(headers: Headers, scheme: str) -> bool:
    """Whether a change is asked for by one of our own pages, or by a program with a token.

    Browsers say by Sec-Fetch-Site where a request comes from; on plain http Chromium says only Origin.
    """
    if headers.get("authorization", "").startswith("Bearer "):
        return True  # no browser sends that by itself
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
        return {"type": "http.disconnect"} if taken > largest else message

    return receiving


class Rates:
    """A bucket for each address: what comes faster than it runs out for long is refused."""

    def __init__(self) -> None:
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, address: str, now: float) -> bool:
        level, at = self._levels.get(address, (0.0, now))
        level = max(0.0, level - (now - at) * RATE)
        if level >= BURST:
            return False
        if len(self._levels) > 10_000:
            self._levels.clear()
        self._levels[address] = level + 1.0, now
        return True
