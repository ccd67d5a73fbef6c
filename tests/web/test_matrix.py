"""Every role, right and scope against every page of real recordings, also by guessed ids; beside a table of our own."""

from datetime import UTC, datetime
from itertools import count, product

import pytest
from support.client import Client

from srs.archive.database import writing
from srs.privacy import tokens, users
from srs.privacy.roles import ON_RECORDINGS, ROLES, Assignment, Right, Scope, assignment

from .conftest import EXTENSIONS, Company

SCOPES = {  # scope, groups, all but -> whose calls
    "all": ((Scope.ALL, (), ()), {"201", "202", "301"}),
    "all but 301": ((Scope.ALL, (), ("301",)), {"201", "202"}),
    "sales": ((Scope.GROUP, ("sales",), ()), {"201", "202"}),
    "sales but 202": ((Scope.GROUP, ("sales",), ("202",)), {"201"}),
    "own": ((Scope.OWN, (), ()), {"201"}),
}
PURPOSES = {"201": "training", "202": "complaints", "301": ""}
WAYS = {  # what is tried -> method, path, the right that it needs, the answer to who has it
    "page": ("GET", "", Right.LIST, 200),
    "play": ("GET", "/audio?purpose={purpose}", Right.PLAY, 200),
    "outline": ("GET", "/peaks", Right.PLAY, 200),
    "download": ("GET", "/download?purpose={purpose}", Right.DOWNLOAD, 200),
    "delete": ("POST", "/delete", Right.DELETE, 400),  # no reason is given
    "hold": ("POST", "/hold", Right.HOLD, 400),
}
HEARING = {Right.PLAY, Right.DOWNLOAD}
HOUSE = {"/users": Right.USERS, "/settings": Right.SETTINGS, "/state": Right.WATCH, "/audit": Right.AUDIT}
POSSIBLE = [
    (role, right, scope)
    for role, right, scope in product(ROLES, sorted(ON_RECORDINGS), SCOPES)
    if right in ROLES[role].possible and SCOPES[scope][0][0] in ROLES[role].scopes
]
_numbers = count(1)


def visitor(company: Company, *roles: Assignment) -> Client:
    """A browser of a new user with some roles, signed in, at an address of its own: nobody asks too often."""
    number = next(_numbers)
    with writing(company.engine) as session:
        user = users.add_without_password(session, f"matrix {number}", datetime.now(UTC))
        user.extensions = ["201"]
        for role in roles:
            users.give(session, user, role)
        secret = tokens.begin_session(session, user, "test", datetime.now(UTC))
    client = Client(company.url, f"127.0.{number // 250 + 1}.{number % 250 + 1}")
    client.cookies.set("srs", secret)
    return client


def answers(company: Company, client: Client) -> dict[tuple[str, str], int]:
    found = {}
    for extension, (name, (method, path, _, _)) in product(EXTENSIONS, WAYS.items()):
        at = f"/recordings/{company.recordings[extension]}{path.format(purpose=PURPOSES[extension])}"
        found[extension, name] = client.request(method, at).status_code
    return found


def expected(role: str, rights: set[Right], reached: set[str]) -> dict[tuple[str, str], int]:
    """404 where the recording is none for them, 403 where only this is not for them."""
    found = {}
    for extension, (name, (_, _, right, good)) in product(EXTENSIONS, WAYS.items()):
        deaf = PURPOSES[extension] == "complaints" and role != "privacy officer" and right in HEARING
        seen = extension in reached and Right.LIST in rights
        found[extension, name] = 404 if not seen else good if right in rights and not deaf else 403
    return found


@pytest.mark.parametrize(("role", "right", "scope"), POSSIBLE)
def test_what_a_role_opens(role: str, right: Right, scope: str, company: Company):
    (where, groups, excluded), reached = SCOPES[scope]
    rights = {Right.LIST, right}
    client = visitor(company, assignment(role, where, groups, excluded, rights))
    assert answers(company, client) == expected(role, rights, reached)
    listed = client.get("/recordings").text
    assert {extension for extension in EXTENSIONS if company.recordings[extension] in listed} == reached
    house = {path for path, needed in HOUSE.items() if needed in ROLES[role].house}
    assert {path for path in HOUSE if client.get(path).status_code == 200} == house


def test_without_the_right_to_find_nothing_is_there(company: Company):
    for role, right in (("supervisor", Right.PLAY), ("privacy officer", Right.DELETE), ("employee", Right.DOWNLOAD)):
        groups = ("sales",) if role == "supervisor" else ()
        client = visitor(company, assignment(role, groups=groups, rights={right}))
        assert set(answers(company, client).values()) == {404}
    assert set(answers(company, visitor(company)).values()) == {404}, "no role"


def test_ids_cannot_be_guessed(company: Company):
    client = visitor(company, assignment("supervisor", groups=("works",), rights={Right.LIST, Right.PLAY}))
    hidden, own = company.recordings["201"], company.recordings["301"]
    guesses = [
        own[:8],
        own[:-1],
        own + "0",
        own.upper(),
        f"{int(own, 16) + 1:032x}",
        hidden[:8],
        "%",
        "_" * 32,
    ]
    none = client.get(f"/recordings/{'f' * 32}")
    for guess in guesses:
        for path in ("", "/audio", "/peaks", "/download"):
            answer = client.get(f"/recordings/{guess}{path}")
            assert (answer.status_code, answer.text) == (404, none.text), guess
    assert client.get(f"/recordings/{hidden}").text == none.text
    assert hidden not in client.get("/recordings").text
