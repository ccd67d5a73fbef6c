"""OWASP's top ten (2021), walked over HTTP: what an attacker tries gives nothing away and changes nothing."""

import re
import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import requests
from pydantic import SecretStr, ValidationError
from support.house import ID, PASSWORD, Client, Program, add_recording, person, serving, sign_in, stranger, token
from support.recorder import free_port

from srs.archive.database import reading, writing
from srs.archive.search import Search, search
from srs.archive.tables import Recording
from srs.config import WebSettings
from srs.config.handoff import HandoffSettings
from srs.config.mail import MailServer, MailSettings
from srs.config.watching import AlarmSettings
from srs.handoff.webhook import Options
from srs.privacy import users
from srs.privacy.roles import Assignment, Right, Scope, assignment
from srs.privacy.tables import User
from srs.web.app import PAGES
from srs.web.gate import HEADERS
from srs.web.house import House

MARKUP = "\"'><script>alert(1)</script></script><img src=x onerror=alert(1)>{{7*7}}"
SECRET = "gEh3im-and-l0ng"
SECRET_ID = "5ec4e7" + "0" * 26
HEAR = [Right.LIST, Right.PLAY, Right.DOWNLOAD, Right.HOLD]


def hearing(scope: Scope = Scope.ALL) -> Assignment:
    return assignment("supervisor", scope, rights=HEAR)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Markup in every text that comes from outside, secrets in every setting that can hold one."""
    server = MailServer(host="127.0.0.1", port=1, user="srs", password=SecretStr(SECRET))
    hook = HandoffSettings(name="crm", module="webhook", options={"url": "https://crm.example", "secret": SECRET})
    settings = {
        "mail": MailSettings(sender="srs@example.com", server=[server]),
        "alarms": AlarmSettings(webhook="https://ops.example", webhook_secret=SecretStr(SECRET)),
        "handoff": [hook],
    }
    with serving(tmp_path_factory.mktemp("secure"), **settings) as made:
        told = {"caller": MARKUP, "callee": MARKUP, "note": MARKUP, "tags": [MARKUP], "peer": MARKUP}
        add_recording(made, "abcdef" + "0" * 26, **told, facts={"events": [[0.5, MARKUP]], "x": MARKUP}, reason=MARKUP)
        add_recording(made, SECRET_ID, caller="sip:ceo@example.com", parties="sip:ceo@example.com\nceo\n")
        yield made


@pytest.fixture(scope="module")
def admin(house: House) -> Client:
    return sign_in(
        house, hearing(), assignment("administrator"), assignment("privacy officer", rights=HEAR), name="adm"
    )


@pytest.fixture(scope="module")
def narrow(house: House) -> Client:
    """Of somebody who may hear calls of one extension."""
    client = sign_in(house, assignment("employee", rights=[Right.LIST, Right.PLAY, Right.DOWNLOAD]), name="narrow")
    with writing(house.engine) as session:
        users.get(session, "narrow").extensions = ["300"]
    return client


# A01 Broken access control


def test_a_guessed_id_is_not_told_from_none(house: House, narrow: Client):
    program = Program(house, token(house, "narrow", *Right))
    for path in ("", "/audio", "/peaks", "/download?format=mp3", "/facts", "/vcon", "/capture"):
        there, none = (program.get(f"/recordings/{id_}{path}") for id_ in (SECRET_ID, "0" * 32))
        assert (there.status_code, there.content) == (404, none.content)
    for page in (each for each in PAGES if "{id}" in each.path):
        there, none = (narrow.request(page.method, page.path.replace("{id}", id_)) for id_ in (SECRET_ID, "0" * 32))
        assert (there.status_code, there.content) == (404, none.content), page.path
    assert "ceo" not in narrow.get("/recordings?q=example").text


ODD_IDS = ("..", "%2e%2e", "..%2f..%2frecordings.sqlite", "....//", "%00", "%25", "*", "_" * 32)


@pytest.mark.parametrize("id_", [*ODD_IDS, ID[:8], f"{ID}%20", f"{ID}.wav"])
def test_an_id_is_no_path_and_no_pattern(house: House, admin: Client, id_: str):
    program = Program(house, token(house, "adm", *Right))
    for path in (f"/recordings/{id_}/audio", f"/recordings/{id_}/download"):
        assert admin.get(path).status_code in (400, 404)
        assert program.get(path).status_code in (400, 404)
    assert b"SQLite format" not in admin.get(f"/recordings/{id_}").content


@pytest.mark.parametrize("path", ["../app.py", "..%2fapp.py", "%2e%2e/%2e%2e/log.py", "/etc/passwd", "..\\app.py"])
def test_static_files_are_those_of_their_folder(house: House, path: str):
    with socket.create_connection(house.settings.web.address or ("", 0)) as raw:
        raw.sendall(f"GET /static/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert b" 404 " in answer.split(b"\r\n", 1)[0]


def test_no_change_is_made_for_another_site(house: House, admin: Client):
    for page in (each for each in PAGES if each.method == "POST"):
        path = page.path.replace("{id}", ID).replace("{name}", "narrow")
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            assert admin.post(path, headers=headers, data={"reason": "x"}).status_code == 403, path
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE"}
    answers = [admin.options(f"/api/v1/recordings/{ID}", headers=asked), admin.get("/api/v1/me", headers=asked)]
    assert [answer.status_code for answer in answers] == [405, 401]  # a cookie is nobody there
    assert not [name for answer in answers for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "\\\\evil",
        "/\t/evil.example",
        "/%0d%0aX:1",
    ],
)
def test_signing_in_leads_nowhere_else(house: House, admin: Client, to: str):
    answer = stranger(house).post("/sign-in", data={"name": "adm", "password": PASSWORD, "to": to})
    assert answer.status_code == 303
    parts = urlsplit(answer.headers["location"])
    assert (parts.scheme, parts.netloc) == ("", "")
    assert not re.match(r"[/\\][\t\r\n]*[/\\]", answer.headers["location"])


# A02 Cryptographic failures


def test_tls_is_new_enough_and_the_cookie_is_for_tls_alone(tmp_path: Path):
    web = WebSettings(listen=f"https://127.0.0.1:{free_port('127.0.0.1')}")
    with serving(tmp_path, web=web) as house:
        person(house, "eve", hearing())
        address = house.settings.web.address
        assert address is not None
        for newest, taken in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)):
            assert _shakes(address, newest) is taken
        with requests.Session() as client:
            authority = str(tmp_path / "web" / "certificate.pem")
            told = {
                "headers": {"Origin": house.url, "Connection": "close"},
                "data": {"name": "eve", "password": PASSWORD},
            }
            answer = client.post(f"{house.url}/sign-in", **told, verify=authority, allow_redirects=False, timeout=30)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-srs=")
        assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        assert "max-age=" in answer.headers["strict-transport-security"]


def _shakes(address: tuple[str, int], newest: ssl.TLSVersion) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of versions as old as these
        context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, newest
    try:
        with socket.create_connection(address) as raw, context.wrap_socket(raw):
            return True
    except (ssl.SSLError, ConnectionError):
        return False


def test_passwords_and_tokens_are_kept_as_digests(house: House, admin: Client):
    secret = token(house, "adm", Right.LIST)
    with reading(house.engine) as session:
        user = users.get(session, "adm")
        assert isinstance(user, User)
        assert (user.password or "").startswith("$argon2id$")
    kept = b"".join(path.read_bytes() for path in house.settings.data_dir.glob("recordings.sqlite*"))
    for each in (secret, PASSWORD, admin.cookies["srs"]):
        assert each.encode() not in kept


# A03 Injection


OF_LANGUAGES = ("' OR 1=1 --", '" OR words MATCH "a', "a* OR b", 'NEAR("a" "b")', "%", "_", "\\", "recording_words:x")


@pytest.mark.parametrize("words", [*OF_LANGUAGES, '"', ")", "^a", "-a", "{a b}", "\ud7ff"])
def test_a_search_is_words_and_no_language(house: House, admin: Client, words: str):
    for name in ("q", "tag", "purpose", "state", "extension", "group", "notice", "before", "since", "min_s", "below"):
        assert admin.get("/recordings", params={name: words}).status_code == 200, name
    for name in ("text", "tag", "purpose", "extension", "group", "notice"):
        assert not search(house.engine, Search(**{name: words})).rows or (name, words) in FOUND, name
    assert admin.get("/audit", params={"who": words, "action": words}).status_code == 200


FOUND = {("text", '"'), ("text", ")")}
"""These stand in the markup."""


def test_no_text_holds_a_nul(house: House, admin: Client):
    program = Program(house, token(house, "adm", *Right))
    assert admin.get("/recordings?q=x%00y").status_code == 400
    assert program.get("/persons/recordings?person=x%00").status_code == 400
    assert program.post("/users", json={"name": "x\x00y"}).status_code == 422
    assert admin.post(f"/recordings/{ID}/words", data={"note": "x\x00y", "tags": ""}).status_code == 303
    assert program.get(f"/recordings/{ID}").json()["note"] == "xy"


@pytest.mark.parametrize("value", ["nan", "inf", "-1e999", "9" * 400, "0001-01-01", "9999-12-31T23:59:59+14:00", "١٢"])
def test_numbers_and_dates_out_of_the_world_are_left_out(admin: Client, value: str):
    for name in ("before", "since", "until", "min_s", "max_s", "below", "mos_below"):
        assert admin.get("/recordings", params={name: value}).status_code == 200, name


def test_texts_from_outside_are_texts_on_every_page(house: House, admin: Client):
    wild = "abcdef" + "0" * 26
    shown = ["/recordings", f"/recordings/{wild}", f"/recordings/{wild}/delete", f"/recordings/{wild}/hold"]
    shown += [
        f"/recordings?q={quote(MARKUP)}",
        f"/audit?who={quote(MARKUP)}",
        "/live",
        "/state",
    ]
    shown += [f"/nothing/{quote(MARKUP)}", f"/sign-in?to={quote('/' + MARKUP)}"]
    for path in shown:
        text = admin.get(path).text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert "49" not in re.findall(r"onerror=alert\(1\)[^}]{0,8}(\d\d)", text), path


def test_names_of_files_and_users_add_no_header(house: House, admin: Client):
    odd = 'a"\rX-Evil: 1'
    add_recording(house, odd, "odd.wav")
    program = Program(house, token(house, "adm", *Right))
    answer = program.get(f"/recordings/{quote(odd, safe='')}/download?format=flac")
    assert answer.status_code == 200
    assert "x-evil" not in answer.headers
    added = admin.post("/users", data={"name": "x\r\nSet-Cookie: srs=1", "mail": "", "language": "en"})
    changed = admin.post("/users/x%0d%0aSet-Cookie:%20srs=1", data={"do": "disable"})
    assert not {"set-cookie", "x-evil"} & {name.lower() for each in (added, changed) for name in each.headers}
    with writing(house.engine) as session:
        session.delete(session.get_one(Recording, odd))


# A04 Insecure design, A05 Misconfiguration


def test_every_answer_forbids_frames_scripts_of_others_and_guessing_of_types(house: House, admin: Client):
    pages = ["/recordings", "/nothing", "/metrics", "/health/live", "/static/style.css"]
    files = [f"/recordings/{ID}/audio", f"/recordings/{ID}/download"]
    for path in [*pages, *files, "/api/v1/me", "/api/v1/openapi.json"]:
        answer = admin.get(path)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, (path, name)
        assert "server" not in {name.lower() for name in answer.headers}
    policy = HEADERS["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert admin.request("TRACE", "/recordings").status_code == 405


def test_no_page_and_no_answer_holds_a_secret_of_the_settings(house: House, admin: Client):
    program = Program(house, token(house, "adm", *Right))
    texts = [admin.get(path).text for path in ("/settings", "/state", "/start", "/audit")]
    texts += [program.get(path).text for path in ("/settings", "/state", "/tasks", "/audit")]
    texts += [admin.get(href).text for href in set(re.findall(r'href="(/settings/[^"#?]+)"', texts[0]))]
    assert not [text for text in texts if SECRET in text]


# A07 Identification and authentication failures


def test_who_guesses_learns_nothing_and_is_stopped(house: House):
    person(house, "known", hearing())
    client = stranger(house)
    wrong, unknown = (client.post("/sign-in", data={"name": name, "password": "x"}) for name in ("known", "nobody"))
    assert (wrong.status_code, wrong.text.replace("known", "")) == (403, unknown.text.replace("nobody", ""))
    for _ in range(5):
        client.post("/sign-in", data={"name": "known", "password": "x"})
    assert client.post("/sign-in", data={"name": "known", "password": PASSWORD}).status_code == 403


def test_a_session_that_was_there_before_is_not_taken_over_and_ends_when_its_user_is_disabled(house: House):
    client = stranger(house)
    client.cookies.set("srs", "fixed")
    person(house, "gone", hearing())
    client.post("/sign-in", data={"name": "gone", "password": PASSWORD})
    (given,) = {cookie.value for cookie in client.cookies if cookie.domain} - {"fixed"}
    assert given
    with writing(house.engine) as session:
        users.disable(session, users.get(session, "gone"))
    assert client.get("/recordings").status_code == 303


def test_who_asks_too_much_is_told_to_wait(tmp_path: Path):
    web = WebSettings(listen=f"http://127.0.0.1:{free_port('127.0.0.1')}", requests_per_s=0.1)
    with serving(tmp_path, web=web) as house:
        client = stranger(house)
        assert [client.get("/health/live").status_code for _ in range(3)] == [200, 200, 429]
        problem = client.get("/api/v1/me")
        assert (problem.status_code, problem.json()["type"]) == (429, "/api/v1/problems/too-many-requests")
        assert problem.headers["retry-after"]


# A08 Integrity: what is said on the wire is one request and nothing else

SMUGGLED = (
    "Content-Length: 5\r\nTransfer-Encoding: chunked",
    "Content-Length: 5\r\nContent-Length: 6",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: xchunked",
    "Content-Length: +5",
    "Content-Length: -1",
    "X: a\x00b",
    "X : a",
)


@pytest.mark.parametrize("headers", SMUGGLED)
def test_a_request_of_doubtful_length_is_refused(house: House, headers: str):
    smuggled = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection((house.settings.web.address or ("", 0)), timeout=30) as raw:
        raw.sendall(f"POST /sign-in HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n0\r\n\r\n{smuggled}".encode())
        raw.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 4"), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"200 OK" not in answer


def test_bodies_end_at_their_limit(house: House, admin: Client):
    program = Program(house, token(house, "adm", *Right))
    form, body = {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "application/json"}
    for client, path, headers in ((admin, "/searches", form), (program, "/users", body)):
        assert client.post(path, data="name=" + "x" * (1 << 21), headers=headers).status_code == 413
        pieces = iter([b"name=" + b"x" * (1 << 20), b"x"])
        assert client.post(path, data=pieces, headers=headers).status_code == 413


# A10 Server-side request forgery


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://x/", "//x", "javascript:x", " http://x"]
)
def test_webhooks_go_to_web_servers_only(url: str):
    with pytest.raises(ValidationError):
        Options(url=url)
    with pytest.raises(ValidationError):
        AlarmSettings(webhook=url)
