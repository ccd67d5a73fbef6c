"""Every role, right and scope against pages and API of real recordings, also by guessed ids; beside our own table."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count, product

import pytest
from support.client import Client

from srs.archive.database import writing
from srs.privacy import tokens, users
from srs.privacy.roles import ON_RECORDINGS, ROLES, Assignment, Needed, Right, Scope, assignment

from .conftest import EXTENSIONS, Company

SCOPES = {  # scope, groups, all but -> whose calls
    "all": ((Scope.ALL, (), ()), {"201", "202", "301"}),
    "all but 301": ((Scope.ALL, (), ("301",)), {"201", "202"}),
    "sales": ((Scope.GROUP, ("sales",), ()), {"201", "202"}),
    "sales but 202": ((Scope.GROUP, ("sales",), ("202",)), {"201"}),
    "own": ((Scope.OWN, (), ()), {"201"}),
}
API = "/api/v1/recordings"
PURPOSES = {"201": "training", "202": "complaints", "301": ""}
WAYS = {  # what is tried -> method, path, the right that it needs, the answer to who has it
    "page": ("GET", "", Right.LIST, 200),
    "play": ("GET", "/audio?purpose={purpose}", Right.PLAY, 200),
    "outline": ("GET", "/peaks?purpose={purpose}", Right.PLAY, 200),
    "download": ("GET", "/download?purpose={purpose}", Right.DOWNLOAD, 200),
    "delete": ("POST", "/delete", Right.DELETE, 400),  # no reason is given
    "hold": ("POST", "/hold", Right.HOLD, 400),
}
API_WAYS = {  # the same of the API
    **WAYS,
    "delete": ("DELETE", "", Right.DELETE, 422),  # no reason is given
    "hold": ("PUT", "/hold", Right.HOLD, 422),
}
MORE_OF_API = {  # what only the API has apart
    "facts": ("GET", "/facts", Right.LIST, 200),
    "words": ("PATCH", "", Right.PLAY, 428),  # no ETag is given
    "vcon": ("GET", "/vcon?purpose=training", Right.DOWNLOAD, 200),
    "packets": ("GET", "/capture?purpose=training", Right.DOWNLOAD, 409),  # all of it was decoded
    "mail": ("POST", "/mail?purpose=training", Right.MAIL, 409),  # there is no such rule
    "release": ("DELETE", "/hold", Right.HOLD, 422),
}
BODIES = {"mail": {"rule": "none", "reason": "x"}, "words": {"note": "x"}}
HOUSE_OF_API = {
    "/users": Right.USERS,
    "/tokens": Right.USERS,
    "/settings": Right.SETTINGS,
    "/retention/preview": Right.SETTINGS,
    "/state": Right.WATCH,
    "/tasks": Right.WATCH,
    "/audit": Right.AUDIT,
    "/deletions": Right.REPORT,
    "/persons/recordings?person=nobody": Right.REQUESTS,
    "/cases": (Right.CASES, Right.APPROVE),
}
HEARING = {Right.PLAY, Right.DOWNLOAD}
HOUSE = {"/users": Right.USERS, "/settings": Right.SETTINGS, "/state": Right.WATCH, "/audit": Right.AUDIT}
POSSIBLE = [
    (role, right, scope)
    for role, right, scope in product(ROLES, sorted(ON_RECORDINGS), SCOPES)
    if right in ROLES[role].possible and SCOPES[scope][0][0] in ROLES[role].scopes
]
_numbers = count(1)


def visitor(company: Company, *roles: Assignment, limit: Iterable[Right] = Right) -> Client:
    """A new user with some roles, signed in, at an address of its own: nobody asks too often.

    Args:
        limit: what its token is for.
    """
    number, now = next(_numbers), datetime.now(UTC)
    with writing(company.engine) as session:
        user = users.add_without_password(session, f"matrix {number}", now)
        user.extensions = ["201"]
        for role in roles:
            users.give(session, user, role)
        secret = tokens.begin_session(session, user, "test", now)
        _, program = tokens.issue(session, user, "matrix", limit, now, timedelta(hours=1))
    client = Client(company.url, f"127.0.{number // 250 + 1}.{number % 250 + 1}")
    client.cookies.set("srs", secret)
    client.headers["Authorization"] = f"Bearer {program}"  # the pages do not look at it, nor the API at the cookie
    return client


Ways = Mapping[str, tuple[str, str, Right, int]]


def answers(company: Company, client: Client, ways: Ways, root: str = "/recordings") -> dict[tuple[str, str], int]:
    found = {}
    for extension, (name, (method, path, _, _)) in product(EXTENSIONS, ways.items()):
        at = f"{root}/{company.recordings[extension]}{path.format(purpose=PURPOSES[extension])}"
        found[extension, name] = client.request(method, at, json=BODIES.get(name)).status_code
    return found


def expected(role: str, rights: set[Right], reached: set[str], ways: Ways) -> dict[tuple[str, str], int]:
    """404 where the recording is none for them, 403 where only this is not for them."""
    found = {}
    for extension, (name, (_, _, right, good)) in product(EXTENSIONS, ways.items()):
        deaf = PURPOSES[extension] == "complaints" and role != "privacy officer" and right in HEARING
        seen = extension in reached and Right.LIST in rights
        found[extension, name] = 404 if not seen else good if right in rights and not deaf else 403
    return found


def opened(client: Client, paths: Mapping[str, Needed], root: str = "") -> set[str]:
    return {path for path in paths if client.get(root + path).status_code == 200}


def having(role: str, paths: Mapping[str, Needed]) -> set[str]:
    """What a role opens of the house."""
    asked = {path: needed if isinstance(needed, tuple) else (needed,) for path, needed in paths.items()}
    return {path for path, needed in asked.items() if ROLES[role].house & set(needed)}


@pytest.mark.parametrize(("role", "right", "scope"), POSSIBLE)
def test_what_a_role_opens(role: str, right: Right, scope: str, company: Company):
    (where, groups, excluded), reached = SCOPES[scope]
    rights = {Right.LIST, right}
    client = visitor(company, assignment(role, where, groups, excluded, rights))
    assert answers(company, client, WAYS) == expected(role, rights, reached, WAYS)
    assert answers(company, client, API_WAYS, API) == expected(role, rights, reached, API_WAYS)
    for listed in (client.get("/recordings").text, client.get(API).text):
        assert {extension for extension in EXTENSIONS if company.recordings[extension] in listed} == reached
    assert opened(client, HOUSE) == having(role, HOUSE)


def test_without_the_right_to_find_nothing_is_there(company: Company):
    for role, right in (("supervisor", Right.PLAY), ("privacy officer", Right.DELETE), ("employee", Right.DOWNLOAD)):
        groups = ("sales",) if role == "supervisor" else ()
        client = visitor(company, assignment(role, groups=groups, rights={right}))
        assert set(answers(company, client, WAYS).values()) == {404}
        assert set(answers(company, client, API_WAYS, API).values()) == {404}
    assert set(answers(company, visitor(company), WAYS).values()) == {404}, "no role"
    assert set(answers(company, visitor(company), {**API_WAYS, **MORE_OF_API}, API).values()) == {404}


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_opens_of_the_house_through_the_api(role: str, company: Company):
    groups = ("sales",) if role == "supervisor" else ()
    client = visitor(company, assignment(role, groups=groups))
    assert opened(client, HOUSE_OF_API, "/api/v1") == having(role, HOUSE_OF_API)


@pytest.mark.parametrize("right", Right)
def test_a_token_allows_what_it_is_for_whatever_its_user_may(right: Right, company: Company):
    full = [
        assignment(name, groups=("sales",) if name == "supervisor" else (), rights=role.possible)
        for name, role in ROLES.items()
    ]
    limit = {Right.LIST, right}
    client = visitor(company, *full, limit=limit)
    ways = {**API_WAYS, **MORE_OF_API}
    found = {
        name: code for (extension, name), code in answers(company, client, ways, API).items() if extension == "201"
    }
    assert found == {name: good if needed in limit else 403 for name, (_, _, needed, good) in ways.items()}
    of_house = {
        path
        for path, needed in HOUSE_OF_API.items()
        if right == needed or right in (needed if isinstance(needed, tuple) else ())
    }
    assert opened(client, HOUSE_OF_API, "/api/v1") == of_house
    only = visitor(company, *full, limit={right})
    if right != Right.LIST:
        assert set(answers(company, only, ways, API).values()) == {403}, "not a token to find recordings"


def test_the_api_gives_sound_for_what_it_is_kept_for_only(company: Company):
    client = visitor(company, assignment("supervisor", Scope.ALL, rights=[Right.LIST, Right.PLAY, Right.DOWNLOAD]))
    kept, free = (f"{API}/{company.recordings[extension]}" for extension in ("201", "301"))
    for way in ("audio", "peaks", "download", "vcon", "capture"):
        for said in ({}, {"Purpose-Of-Use": "security"}):
            answer = client.get(f"{kept}/{way}", headers=said)
            assert (answer.status_code, answer.json()["type"]) == (403, "/api/v1/problems/wrong-purpose"), way
    assert client.get(f"{kept}/audio", headers={"Purpose-Of-Use": "quality"}).status_code == 200
    assert client.get(f"{free}/audio").status_code == 200


def test_a_piece_from_the_middle_is_a_play_too(company: Company):
    client = visitor(company, assignment("supervisor", Scope.ALL, rights=[Right.LIST, Right.PLAY]))
    name = f"matrix {next(_numbers) - 1}"
    for root, who in (("/recordings", f"user:{name}"), (API, f"token:{name}/matrix")):
        for _ in range(2):
            answer = client.get(f"{root}/{company.recordings['301']}/audio", headers={"Range": "bytes=1-"})
            assert answer.status_code == 206
        assert len(company.audited(who=who, action="play")) == 1


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
            at = f"{API}/{guess}{path}"
            answer, unknown = client.get(at), client.get(f"{API}/{'f' * 32}{path}")
            assert (answer.status_code, answer.text) == (404, unknown.text), guess
    assert client.get(f"/recordings/{hidden}").text == none.text
    assert client.get(f"{API}/{hidden}").json() == client.get(f"{API}/{'f' * 32}").json()
    assert hidden not in client.get(API).text
    assert hidden not in client.get("/recordings").text
