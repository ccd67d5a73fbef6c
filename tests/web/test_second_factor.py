"""The second factor as users meet it: demanded by a role, set up by a page, asked for, lost."""

import re
from datetime import UTC, datetime
from html import unescape

import pyotp
from support.browsing import PASSWORD

from srs.privacy.roles import assignment

from .conftest import Company

PAGE = "/account/second-factor"


def code(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(datetime.now(UTC).timestamp() + 30 * steps)


def test_a_role_that_needs_it_leads_to_setting_it_up_and_nowhere_else(company: Company):
    company.user("ada", assignment("auditor"))
    client = company.client("ada")
    for path in ("/", "/audit", "/recordings", "/account"):
        assert client.get(path).headers["location"] == PAGE
    assert "Your role needs a code" in client.get(PAGE).text

    assert client.post(PAGE, data={"do": "finish", "code": "123456"}).status_code == 400, "nothing was begun"
    client.post(PAGE, data={"do": "begin"})
    page = client.get(PAGE).text
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)[1]
    assert "<svg" in page
    assert "style=" not in page, "which the policy of the pages forbids"
    assert client.post(PAGE, data={"do": "finish", "code": "000000"}).status_code == 400
    assert client.get("/audit").headers["location"] == PAGE
    done = client.post(PAGE, data={"do": "finish", "code": code(secret, -1)})
    recovery = re.findall(r"<code>((?:\w{4}-){3}\w{4})</code>", done.text)
    assert len(recovery) == 8
    assert client.get("/audit").status_code == 200
    assert recovery[0] not in client.get(PAGE).text, "they are shown once"

    again = company.client()
    assert "Code, or a recovery code" in again.sign_in("ada", PASSWORD).text
    assert again.sign_in("ada", PASSWORD, "000000").status_code == 403
    assert again.sign_in("ada", PASSWORD, recovery[0]).status_code == 303
    assert company.client().sign_in("ada", PASSWORD, recovery[0]).status_code == 403
    assert again.post(PAGE, data={"do": "drop", "code": "000000"}).status_code == 400
    fresh = again.post(PAGE, data={"do": "codes", "code": recovery[1]}).text
    assert recovery[2] not in fresh
    assert again.post(PAGE, data={"do": "drop", "code": code(secret)}).headers["location"] == PAGE
    assert again.get("/audit").headers["location"] == PAGE, "it is needed again"
    acts = [entry.action for entry in company.audited(who="user:ada") if entry.action.startswith("second factor")]
    assert acts == [f"second factor: {what}" for what in ("finish", "codes", "drop")]


def test_a_lost_telephone_is_an_administrators_matter(company: Company):
    company.user("bas", assignment("administrator"))
    company.user("cor", assignment("auditor"), totp_secret=pyotp.random_base32())
    page = company.client("bas").post("/users/cor", data={"do": "second factor"})
    assert page.status_code == 303
    assert company.client().sign_in("cor", PASSWORD).status_code == 303
    (entry,) = company.audited(action="second factor user")
    assert (entry.who, entry.subject) == ("user:bas", "user:cor")


def test_a_one_time_password_ends(company: Company):
    company.user("bo", assignment("administrator"))
    client = company.client("bo")
    page = client.post("/users", data={"name": "late", "language": "nl"}).text
    once = unescape(re.search(r"<code>(.+?)</code>", page)[1])
    company.user("unused", password_until=datetime(2026, 1, 1, tzinfo=UTC), must_change=True)
    answer = company.client().sign_in("unused", PASSWORD)
    assert (answer.status_code, "which came too late" in answer.text) == (403, True)
    late = company.client()
    assert late.sign_in("late", once).status_code == 303
    assert late.get("/recordings").headers["location"] == "/account/password"
    assert late.get(PAGE).headers["location"] == "/account/password"
