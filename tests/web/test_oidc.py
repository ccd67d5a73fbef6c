"""Signing in by an OpenID provider: a real one over HTTP, which tells the truth and lies."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from support.browsing import PASSWORD
from support.client import Client

from srs.archive.database import writing
from srs.privacy import users
from srs.privacy.roles import Right

from .conftest import Company


def come_in(company: Company, client: Client, **behaviour):
    """As a browser does: the button, the provider, and back; the answer to that."""
    company.provider.behave(**behaviour)
    there = client.get("/sign-in/oidc?to=/account")
    assert there.status_code == 303, there.text
    back = client.get(there.headers["location"])
    assert back.status_code == 302, back.text
    return client.get(back.headers["location"])


def roles(company: Company, name: str):
    return next(found for user, found in users.everybody(company.engine) if user.name == name)


def test_who_was_made_for_it_comes_in_and_has_the_roles_of_the_groups(company: Company):
    company.user("olga@example.com", password=None)
    told = {"sub": "17", "preferred_username": "olga@example.com", "groups": ["verkoop", "techniek", "bezoek"]}
    client = company.client()
    answer = come_in(company, client, claims=told)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert "olga@example.com" in client.get("/account").text
    (role,) = roles(company, "olga@example.com")
    assert (role.role, role.groups, role.rights) == ("supervisor", ("sales", "works"), {Right.LIST, Right.PLAY})
    assert company.recordings["201"] in client.get("/recordings").text

    other = company.client()
    assert come_in(company, other, claims={**told, "groups": "beheer", "preferred_username": "o.new"}).ok
    assert [role.role for role in roles(company, "olga@example.com")] == ["administrator"], "known by subject"
    assert company.recordings["201"] not in client.get("/recordings").text, "also where she had signed in before"
    acts = [(each.who, each.action, each.details.get("role")) for each in company.audited(subject="user:olga*")]
    assert acts == [
        ("recorder", "give role", "supervisor"),
        ("user:olga@example.com", "sign in", None),
        ("recorder", "take role", "supervisor"),
        ("recorder", "give role", "administrator"),
        ("user:olga@example.com", "sign in", None),
    ]


PETER = {"sub": "18", "preferred_username": "peter"}
BROKEN = "That sign-in came to nothing"
LIES = {
    "another nonce": ({"claims": {**PETER, "nonce": "x"}}, BROKEN, "nonce"),
    "no nonce": ({"claims": {**PETER, "nonce": None}}, BROKEN, "nonce"),
    "over": ({"claims": {**PETER, "exp": -120}}, BROKEN, "expired"),
    "never over": ({"claims": {**PETER, "exp": None}}, BROKEN, "exp"),
    "of tomorrow": ({"claims": {**PETER, "iat": 86400, "exp": 90000}}, BROKEN, "in the future"),
    "another audience": ({"claims": {**PETER, "aud": "mailer"}}, BROKEN, "aud"),
    "made for another": ({"claims": {**PETER, "aud": ["recorder", "mailer"], "azp": "mailer"}}, BROKEN, "azp"),
    "another issuer": ({"claims": {**PETER, "iss": "https://example.com"}}, BROKEN, "iss"),
    "nobody": ({"claims": {**PETER, "sub": None}}, BROKEN, "sub"),
    "another key": ({"claims": PETER, "sign": "other"}, BROKEN, "bad_signature"),
    "not signed": ({"claims": PETER, "sign": "none"}, BROKEN, "alg"),
    "signed with the client's secret": ({"claims": PETER, "sign": "secret"}, BROKEN, "alg"),
    "refused there": ({"claims": PETER, "refuse": True}, BROKEN, "access_denied not you"),
    "no name": ({"claims": {"sub": "18"}}, "does not fit the settings", "name_claim"),
    "unknown here": ({"claims": PETER}, "There is no user of your name here", "no user peter"),
    "has a password": (
        {"claims": {"sub": "19", "preferred_username": "pim"}},
        "or signs in otherwise",
        "signs in otherwise",
    ),
    "disabled": ({"claims": {"sub": "20", "preferred_username": "uit"}}, "is disabled, or", "user uit is disabled"),
}


@pytest.fixture(scope="module")
def others(company: Company) -> None:
    company.user("pim")
    company.user("uit", password=None, disabled=True)


@pytest.mark.parametrize("lie", LIES)
def test_who_cannot_be_believed_or_is_not_known_stays_out(lie: str, company: Company, others: None):
    behaviour, words, why = LIES[lie]
    before, client = len(company.audited(refused=True)), company.client()
    answer = come_in(company, client, **behaviour)
    assert answer.status_code == 403
    assert words in answer.text
    assert "srs" not in client.cookies
    (entry,) = company.audited(refused=True)[before:]
    assert (entry.action, entry.origin, why in entry.details["why"]) == ("sign in", "127.0.0.1", True), entry.details


def test_an_answer_is_good_in_the_browser_that_began_and_once(company: Company):
    company.user("rob", password=None)
    client, thief = company.client(), company.client()
    company.provider.behave({"sub": "21", "preferred_username": "rob"})
    there = client.get("/sign-in/oidc?to=//evil.example").headers["location"]
    asked = parse_qs(urlsplit(there).query)
    assert asked["code_challenge_method"] == ["S256"]
    back = client.get(there).headers["location"]
    thief.get("/sign-in/oidc")  # has an attempt of his own
    assert BROKEN in thief.get(back).text
    answer = client.get(back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "srs-oidc" not in client.cookies
    assert client.get(back).status_code == 403


def test_a_provider_that_is_away_is_told_and_passwords_go_on(company: Company):
    company.user("anton")
    client = company.client()
    company.provider.behave({}, status=503)
    assert "does not answer now" in client.get("/sign-in/oidc").text
    company.provider.behave({}, issuer="https://example.com")
    assert BROKEN in client.get("/sign-in/oidc").text
    for language, words in (("nl", "Aanmelden met Example"), ("en", "Sign in with Example")):
        assert words in client.get("/sign-in", headers={"Accept-Language": language}).text
    assert client.sign_in("anton", "correct horse battery").status_code == 303


def test_who_changes_over_to_the_provider_is_not_locked_out(company: Company):
    company.user("karin")
    told = {"sub": "30", "preferred_username": "karin"}
    assert company.client().sign_in("karin", PASSWORD).status_code == 303
    company.recorder.run("users", "password", "karin", "--oidc")
    assert company.client().sign_in("karin", PASSWORD).status_code == 303, "the provider may be away"
    assert come_in(company, company.client(), claims=told).status_code == 303
    assert company.client().sign_in("karin", PASSWORD).status_code == 403
    assert come_in(company, company.client(), claims=told).status_code == 303

    company.user("kees")
    with writing(company.engine) as session:
        users.get(session, "kees").oidc_until = datetime.now(UTC) - timedelta(seconds=1)
    answer = come_in(company, company.client(), claims={"sub": "31", "preferred_username": "kees"})
    assert (answer.status_code, "signs in otherwise" in answer.text) == (403, True), "the time for it is over"
    assert company.client().sign_in("kees", PASSWORD).status_code == 303
