"""What holds for every request: where changes come from, how many, how large."""

import asyncio

import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from srs.web.gate import BURST, Gate, Rates, is_own

OWN = {"host": "srs.example:8443"}


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://srs.example:8443"}, False),
        ({"origin": "https://srs.example:8443"}, True),
        ({"origin": "http://srs.example:8443"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({}, False),
        ({"authorization": "Bearer srs_x", "sec-fetch-site": "cross-site"}, False),
        ({"authorization": "Basic eDp5"}, False),
    ],
)
def test_changes_come_from_our_own_pages(headers: dict[str, str], own: bool):
    assert is_own(Headers({**OWN, **headers}), "https") is own


def test_an_address_that_asks_too_much_is_refused_and_may_ask_again_later():
    rates = Rates(20.0)
    assert all(rates.take("a", 0.0) for _ in range(20 * BURST))
    assert not rates.take("a", 0.0)
    assert rates.take("b", 0.0)
    assert rates.take("a", 1.0 + 1 / 20)


def test_a_token_that_asks_too_much_is_refused_wherever_it_asks_from():
    statuses: list[int] = []

    async def answers(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 0))

    def ask(address: str, token: str) -> int:
        headers = [(b"authorization", token.encode())]
        scope = {"type": "http", "method": "GET", "path": "/api/v1/me", "query_string": b"", "headers": headers}
        statuses.clear()
        asyncio.run(gate({**scope, "client": (address, 1)}, receive, send))
        return statuses[0]

    gate = Gate(answers, secure=False, rate=0.5 / BURST)  # one, and the next after ten seconds
    assert ask("10.0.0.1", "Bearer srs_a") == 200
    assert ask("10.0.0.2", "Bearer srs_a") == 429
    assert ask("10.0.0.3", "Bearer srs_b") == 200


@pytest.mark.parametrize(
    ("path", "kind"), [("/api/v1/users/a\nb", "application/problem+json"), ("/users/a\n", "text/html")]
)
def test_an_address_with_a_newline_is_none(path: str, kind: str):
    gate = Gate(lambda *_: None, secure=False, rate=1.0)  # type: ignore[arg-type]
    refusal = gate._refusal({"type": "http", "method": "GET", "path": path, "query_string": b""}, Headers({}))
    assert refusal is not None
    assert (refusal.status_code, refusal.media_type) == (404, kind)
