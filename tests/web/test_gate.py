"""What holds for every request: where changes come from, how many, how large."""

import pytest
from starlette.datastructures import Headers

from srs.web.gate import BURST, Rates, is_own

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
